package otlp

import (
	"context"
	"fmt"
	"mime"
	"net/http"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"touchstone/internal/httpx"
)

// client posts batches. The library's own one brings gRPC with it, reads
// addresses and headers from the environment, and retries as it likes.
type client struct {
	http   *httpx.Client
	url    string
	header http.Header
	end    context.Context //nolint:containedctx // ends every request when the exporter is closed
	cancel context.CancelFunc
}

const (
	kind    = "application/x-protobuf"
	maxBody = 64 << 10 // of an answer
)

func newClient(o Options) (*client, error) {
	h, err := httpx.New(o.Env, httpx.Config{Timeout: sendBound, MaxBody: maxBody})
	if err != nil {
		return nil, err
	}
	c := &client{http: h, url: o.Endpoint, header: http.Header{"Content-Type": {kind}, "User-Agent": {"touchstone/" + o.Version}}}
	for name, value := range o.Headers {
		c.header.Set(name, value)
	}
	c.end, c.cancel = context.WithCancel(context.Background())
	return c, nil
}

// Start is part of otlptrace.Client.
func (c *client) Start(context.Context) error { return nil }

// Stop is part of otlptrace.Client.
func (c *client) Stop(context.Context) error { return nil }

// refusal is an answer of the receiver that it has not taken spans.
type refusal struct {
	status int
	spans  int
}

func (r *refusal) Error() string { return fmt.Sprintf("the receiver of traces answered %d", r.status) }

// UploadTraces posts one batch. TracesData has the form of the service's request
// (opentelemetry-proto, collector/trace/v1: resource_spans is field 1 of both).
func (c *client) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	body, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans})
	if err != nil {
		return fmt.Errorf("write spans: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.end, cancel)()
	// Sending a batch twice does no harm: a span goes by its id.
	answer, err := c.http.Do(ctx, httpx.Request{Method: http.MethodPost, URL: c.url, Header: c.header, Body: body, Safe: true})
	if err != nil {
		return err
	}
	all := 0
	for _, r := range spans {
		for _, s := range r.ScopeSpans {
			all += len(s.Spans)
		}
	}
	if answer.Status < 200 || answer.Status > 299 {
		return &refusal{answer.Status, all}
	}
	switch answered, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type")); answered {
	case kind:
		if n := rejected(answer.Body); n > 0 {
			return &refusal{answer.Status, n}
		}
	case "text/html": // somebody else answers there
		return &refusal{answer.Status, all}
	}
	return nil
}

// rejected reads how many spans the receiver did not take: partial_success (1),
// rejected_spans (1) of ExportTraceServiceResponse.
func rejected(body []byte) int {
	inner, ok := field(body, 1, protowire.BytesType)
	if !ok {
		return 0
	}
	message, n := protowire.ConsumeBytes(inner)
	if n < 0 {
		return 0
	}
	number, ok := field(message, 1, protowire.VarintType)
	if !ok {
		return 0
	}
	v, n := protowire.ConsumeVarint(number)
	if n < 0 || v > queueSize {
		return 0
	}
	return int(v)
}

// field finds a field of a message and gives the bytes from its value on.
func field(b []byte, number protowire.Number, typ protowire.Type) ([]byte, bool) {
	for len(b) > 0 {
		num, t, n := protowire.ConsumeTag(b)
		if n < 0 {
			return nil, false
		}
		b = b[n:]
		if num == number && t == typ {
			return b, true
		}
		if n = protowire.ConsumeFieldValue(num, t, b); n < 0 {
			return nil, false
		}
		b = b[n:]
	}
	return nil, false
}
