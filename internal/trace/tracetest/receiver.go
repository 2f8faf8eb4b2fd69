// Package tracetest is a receiver of traces for tests: an HTTP server that
// decodes OTLP and keeps every byte that it was sent.
package tracetest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Span is a span as it came.
type Span struct {
	Name, Trace, ID, Parent string
	Kind                    string
	Error                   bool
	Seconds                 float64
	Attrs                   map[string]string
}

// Receiver takes traces.
type Receiver struct {
	URL string
	// Answer, if set, answers instead; true says that it has.
	Answer func(http.ResponseWriter, *http.Request) bool

	mu       sync.Mutex
	spans    []Span
	bytes    bytes.Buffer // bodies and headers
	requests int
}

// New starts a receiver that ends with the test.
func New(t testing.TB) *Receiver {
	t.Helper()
	r := &Receiver{}
	srv := httptest.NewServer(r)
	t.Cleanup(srv.Close)
	r.URL = srv.URL
	return r
}

// ServeHTTP is part of http.Handler.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	if err != nil {
		return // the sender went away
	}
	r.mu.Lock()
	r.requests++
	fmt.Fprintf(&r.bytes, "%s %s %v\n%s\n", q.Method, q.URL, q.Header, body)
	answer := r.Answer
	r.mu.Unlock()
	if answer != nil && answer(w, q) {
		return
	}
	// TracesData has the form of ExportTraceServiceRequest.
	var data tracepb.TracesData
	if q.Method != http.MethodPost || q.URL.Path != "/v1/traces" || q.Header.Get("Content-Type") != "application/x-protobuf" {
		http.Error(w, "not a batch of spans", http.StatusBadRequest)
		return
	}
	if err := proto.Unmarshal(body, &data); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	for _, s := range data.ResourceSpans {
		for _, l := range s.ScopeSpans {
			for _, x := range l.Spans {
				r.spans = append(r.spans, spanOf(x))
			}
		}
	}
	r.mu.Unlock()
	w.Header().Set("Content-Type", "application/x-protobuf")
	w.WriteHeader(http.StatusOK)
}

func spanOf(x *tracepb.Span) Span {
	s := Span{
		Name: x.Name, Trace: fmt.Sprintf("%x", x.TraceId), ID: fmt.Sprintf("%x", x.SpanId), Parent: fmt.Sprintf("%x", x.ParentSpanId),
		Kind: strings.TrimPrefix(x.Kind.String(), "SPAN_KIND_"), Error: x.Status.GetCode() == tracepb.Status_STATUS_CODE_ERROR,
		Seconds: float64(x.EndTimeUnixNano-x.StartTimeUnixNano) / 1e9, Attrs: map[string]string{},
	}
	for _, a := range x.Attributes {
		switch v := a.Value.Value.(type) {
		case *commonpb.AnyValue_StringValue:
			s.Attrs[a.Key] = v.StringValue
		case *commonpb.AnyValue_IntValue:
			s.Attrs[a.Key] = fmt.Sprint(v.IntValue)
		case *commonpb.AnyValue_BoolValue:
			s.Attrs[a.Key] = fmt.Sprint(v.BoolValue)
		case *commonpb.AnyValue_DoubleValue:
			s.Attrs[a.Key] = fmt.Sprint(v.DoubleValue)
		default:
			s.Attrs[a.Key] = a.Value.String()
		}
	}
	return s
}

// Spans gives what was taken so far.
func (r *Receiver) Spans() []Span {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.spans)
}

// Requests is how often it was asked.
func (r *Receiver) Requests() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.requests
}

// Bytes is everything that came: bodies, addresses and headers.
func (r *Receiver) Bytes() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bytes.String()
}

// Paths gives each span once as the names from the first of its trace down:
// "pass/pull/stream". They are sorted. A span whose parent never came begins
// with "?".
func (r *Receiver) Paths() []string {
	spans := r.Spans()
	byID := map[string]Span{}
	for _, s := range spans {
		byID[s.ID] = s
	}
	var out []string
	for _, s := range spans {
		path := s.Name
		for s.Parent != "" {
			up, ok := byID[s.Parent]
			if !ok {
				path = "?/" + path
				break
			}
			path, s = up.Name+"/"+path, up
		}
		out = append(out, path)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
