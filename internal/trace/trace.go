// Package trace says where time went: spans of a pass, a request or a job, and
// of the steps within. It decides nothing and keeps nothing; what takes spans
// stands in package otlp. Everybody else knows only Start, Detail and End.
//
// Attributes are numbers and our own words: names of the configuration, patterns
// of addresses, outcomes. Never a value of a record, an id of a system or a secret.
package trace

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	otel "go.opentelemetry.io/otel/trace"

	"touchstone/internal/env"
)

const (
	// wholeDetails is how many steps of one name a trace shows before they are
	// thinned.
	wholeDetails = 100
	// longestText bounds an attribute's text; names of the configuration are shorter.
	longestText = 120
)

// Tracer begins traces. A nil one begins none, and costs nothing.
type Tracer struct {
	tracer    otel.Tracer
	clock     env.Clock
	share     float64 // of the details behind the first wholeDetails that are shown
	propagate bool
}

// New makes a tracer. Share is how much of what repeats is kept, from 0 to 1;
// propagate sends a trace's number along to outside systems.
func New(t otel.Tracer, clock env.Clock, share float64, propagate bool) *Tracer {
	return &Tracer{t, clock, share, propagate}
}

// Attr is a number or a word that a span carries.
type Attr struct{ kv attribute.KeyValue }

// Int is a number.
func Int[N int | int64](key string, n N) Attr { return Attr{attribute.Int64(key, int64(n))} }

// Text is a word of ours or a name of the configuration.
func Text(key, word string) Attr {
	if len(word) > longestText {
		word = word[:longestText]
	}
	return Attr{attribute.String(key, strings.ToValidUTF8(word, ""))} // protobuf refuses a batch with half a letter in it
}

// Bool is a yes or no.
func Bool(key string, b bool) Attr { return Attr{attribute.Bool(key, b)} }

// Idle marks a span as one in which there was nothing to do: it is not sent.
const Idle = attribute.Key("touchstone.idle")

// Span is a step that takes time. A nil one is no span: its methods do nothing.
type Span struct {
	tracer *Tracer
	span   otel.Span // nil for a step that is timed and not shown
	parent *Span     // nil for the first of a trace here
	work   *work
	name   string
	began  time.Time

	mu   sync.Mutex
	sums map[string]sum // of what ended below, by name
}

// work is what the spans of a trace share.
type work struct {
	id     string
	mu     sync.Mutex
	counts map[string]int // details begun, by name
}

// sum is how many steps of a name there were, and how long they took together.
type sum struct {
	n    int
	took time.Duration
}

type spanKey struct{}

// From gives the span that ctx works in; nil for none.
func From(ctx context.Context) *Span {
	s, _ := ctx.Value(spanKey{}).(*Span)
	return s
}

// Start begins a piece of work: a trace of its own, or a step of the trace that
// ctx is in.
func (t *Tracer) Start(ctx context.Context, name string, attrs ...Attr) (context.Context, *Span) {
	if t == nil {
		return ctx, nil
	}
	if From(ctx) != nil {
		return Start(ctx, name, attrs...)
	}
	return t.begin(ctx, otel.ContextWithSpanContext(ctx, otel.SpanContext{}), name, otel.SpanKindInternal, attrs)
}

// Start begins a step of the trace that ctx is in; outside of one it does nothing.
func Start(ctx context.Context, name string, attrs ...Attr) (context.Context, *Span) {
	return step(ctx, name, otel.SpanKindInternal, false, attrs)
}

// Call begins a request to an outside system, which is a detail.
func Call(ctx context.Context, name string, attrs ...Attr) (context.Context, *Span) {
	return step(ctx, name, otel.SpanKindClient, true, attrs)
}

// Detail begins a step of which a trace may have very many: a page, a batch, a
// write. The first hundred of a name are shown, then the configured share of them,
// with what is below them. All of them are in the sums that the steps above carry.
func Detail(ctx context.Context, name string, attrs ...Attr) (context.Context, *Span) {
	return step(ctx, name, otel.SpanKindInternal, true, attrs)
}

func step(ctx context.Context, name string, kind otel.SpanKind, detail bool, attrs []Attr) (context.Context, *Span) {
	parent := From(ctx)
	if parent == nil {
		return ctx, nil
	}
	t := parent.tracer
	s := &Span{tracer: t, parent: parent, work: parent.work, name: name, began: t.clock.Now()}
	if parent.span != nil && (!detail || parent.work.shows(name, t.share)) {
		_, s.span = t.tracer.Start(otel.ContextWithSpan(ctx, parent.span), name, otel.WithTimestamp(s.began), otel.WithSpanKind(kind), otel.WithAttributes(keyed(attrs)...))
	}
	return context.WithValue(ctx, spanKey{}, s), s
}

func (w *work) shows(name string, share float64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts[name]++
	n := float64(w.counts[name] - wholeDetails)
	return n <= 0 || math.Floor(n*share) > math.Floor((n-1)*share)
}

// begin starts a trace, or joins the one of a caller that parent carries.
func (t *Tracer) begin(ctx, parent context.Context, name string, kind otel.SpanKind, attrs []Attr) (context.Context, *Span) {
	began := t.clock.Now()
	_, span := t.tracer.Start(parent, name, otel.WithTimestamp(began), otel.WithSpanKind(kind), otel.WithAttributes(keyed(attrs)...))
	if !span.IsRecording() {
		return ctx, nil
	}
	w := &work{id: span.SpanContext().TraceID().String(), counts: map[string]int{}}
	s := &Span{tracer: t, span: span, work: w, name: name, began: began}
	return context.WithValue(ctx, spanKey{}, s), s
}

func keyed(attrs []Attr) []attribute.KeyValue {
	list := make([]attribute.KeyValue, len(attrs))
	for i, a := range attrs {
		list[i] = a.kv
	}
	return list
}

// Set adds attributes.
func (s *Span) Set(attrs ...Attr) {
	if s != nil && s.span != nil {
		s.span.SetAttributes(keyed(attrs)...)
	}
}

// ID is the number of the trace, as log lines carry it; "" for none.
func (s *Span) ID() string {
	if s == nil {
		return ""
	}
	return s.work.id
}

// Forget ends a span in which there was nothing to do: it is not sent, unless
// something is below it.
func (s *Span) Forget() {
	if s == nil {
		return
	}
	s.mu.Lock()
	alone := len(s.sums) == 0
	s.mu.Unlock()
	if !alone {
		s.End(nil)
	} else if s.span != nil {
		s.span.SetAttributes(Idle.Bool(true))
		s.span.End()
	}
}

// EndOf ends a step that took n records, or forgets it when there were none.
func (s *Span) EndOf(n int, err error) {
	if n == 0 && err == nil {
		s.Forget()
		return
	}
	s.Set(Int("touchstone.records", n))
	s.End(err)
}

// End ends a step. Of an error the span says that there was one and of which
// kind, never its text: that stands in the log.
func (s *Span) End(err error) {
	if s == nil {
		return
	}
	now := s.tracer.clock.Now()
	s.mu.Lock()
	sums := s.sums
	s.sums = nil
	s.mu.Unlock()
	s.parent.add(s.name, max(now.Sub(s.began), 0), sums)
	if s.span == nil {
		return
	}
	if err != nil {
		s.span.SetStatus(codes.Error, "")
		s.span.SetAttributes(attribute.String("error.type", kindOf(err)))
	}
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		if x := sums[name]; x.n > 1 { // one alone says so itself
			s.span.SetAttributes(attribute.Int("touchstone.count."+name, x.n), attribute.Float64("touchstone.seconds."+name, x.took.Seconds()))
		}
	}
	s.span.End(otel.WithTimestamp(now))
}

// add takes a step that has ended, and all below it, into the sums.
func (s *Span) add(name string, took time.Duration, below map[string]sum) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sums == nil {
		s.sums = map[string]sum{}
	}
	x := s.sums[name]
	s.sums[name] = sum{x.n + 1, x.took + took}
	for name, more := range below {
		x := s.sums[name]
		s.sums[name] = sum{x.n + more.n, x.took + more.took}
	}
}

// Kind is an error that a span shows as it is, such as the status of an answer.
type Kind string

func (k Kind) Error() string { return string(k) }

// kindOf is the kind of an error: a Kind, canceled, timeout, or the type of the
// innermost one.
func kindOf(err error) string {
	var k Kind
	if errors.As(err, &k) {
		return string(k)
	}
	switch {
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	}
	for {
		switch x := err.(type) { //nolint:errorlint // it walks the chain itself
		case interface{ Unwrap() []error }:
			if list := x.Unwrap(); len(list) > 0 {
				err = list[0]
				continue
			}
		case interface{ Unwrap() error }:
			if inner := x.Unwrap(); inner != nil {
				err = inner
				continue
			}
		}
		return fmt.Sprintf("%T", err)
	}
}
