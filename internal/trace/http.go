package trace

import (
	"context"
	"net/http"

	"go.opentelemetry.io/otel/propagation"
	otel "go.opentelemetry.io/otel/trace"
)

// Serve begins the span of a request that came in, below the caller's one where
// the request says so (W3C trace context). Pattern is the address as it was
// registered, never as it was asked for.
func (t *Tracer) Serve(r *http.Request, pattern string, attrs ...Attr) (context.Context, *Span) {
	if t == nil {
		return r.Context(), nil
	}
	parent := propagation.TraceContext{}.Extract(context.WithoutCancel(r.Context()), propagation.HeaderCarrier(r.Header))
	return t.begin(r.Context(), parent, pattern, otel.SpanKindServer, attrs)
}

// Inject tells an outside system the number of the trace, where that is
// configured.
func Inject(ctx context.Context, h http.Header) {
	s := From(ctx)
	if s == nil || s.span == nil || !s.tracer.propagate {
		return
	}
	propagation.TraceContext{}.Inject(otel.ContextWithSpanContext(ctx, s.span.SpanContext()), propagation.HeaderCarrier(h))
}
