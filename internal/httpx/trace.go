package httpx

import (
	"context"
	"errors"
	"net/url"
	"strconv"

	"touchstone/internal/trace"
)

// traced begins the span of a request with its retries and its wait for the
// limits. Of the address it shows the host and what was declared of the path: a
// path as it is sent holds ids, and a query may hold anything.
func traced(ctx context.Context, r Request, u *url.URL) (context.Context, *trace.Span) {
	if trace.From(ctx) == nil {
		return ctx, nil
	}
	attrs := []trace.Attr{trace.Text("http.request.method", r.Method), trace.Text("server.address", u.Hostname())}
	if r.Route != "" {
		attrs = append(attrs, trace.Text("url.template", r.Route))
	}
	return trace.Call(ctx, "http "+r.Method, attrs...)
}

func endTrace(span *trace.Span, a *Answer, err error) {
	var e *Error
	switch {
	case errors.As(err, &e):
		span.Set(trace.Text("touchstone.reason", e.Reason))
	case a != nil:
		span.Set(trace.Int("http.response.status_code", a.Status), trace.Int("http.response.body.size", len(a.Body)))
		if a.Status >= 400 {
			err = trace.Kind(strconv.Itoa(a.Status))
		}
	}
	span.End(err)
}
