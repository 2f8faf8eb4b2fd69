// Package otlp sends spans to a receiver that speaks OTLP over HTTP: Jaeger,
// Grafana Tempo, an OpenTelemetry collector and many others. Nothing waits for
// it: a queue of fixed size stands between the work and the receiver, and what
// does not fit is counted and left out.
package otlp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"

	"touchstone/internal/env"
	"touchstone/internal/trace"
)

const (
	// queueSize is how many spans wait or are on their way, about 1 KiB each.
	queueSize = 4096
	batchSize = 512
	// sendEvery is how long a span waits for others at most.
	sendEvery = 5 * time.Second
	// sendBound is how long one batch may take, with its retries.
	sendBound = 10 * time.Second
	// closeBound is how long the end of the program waits for what is left.
	closeBound = 2 * time.Second
	// tellEvery is how often the log is told of spans that were left out.
	tellEvery = time.Minute
)

// Why spans are left out.
const (
	Full    = "queue_full" // more came than the receiver takes
	Unsent  = "not_sent"   // the receiver did not answer, or the program ended
	Refused = "refused"    // it answered that it will not have them
)

const (
	mostAttributes = 128
	longestValue   = 200
	service        = "touchstone"
)

// Options say where spans go.
type Options struct {
	Endpoint  string            // http://… or https://…, with its path
	Headers   map[string]string // sent along; may be secret
	Share     float64           // of requests, and of what repeats in a trace
	Propagate bool
	Env       env.Env
	Log       *slog.Logger
	Version   string
	// Sent and Dropped are told how many spans were taken, and how many not and
	// why; nil for nobody.
	Sent    func(n int)
	Dropped func(why string, n int)

	queue int           // for tests; 0 for the default
	every time.Duration // likewise
	bound time.Duration
}

// Exporter takes spans and sends them until it is closed.
type Exporter struct {
	opts     Options
	tracer   *trace.Tracer
	provider *sdk.TracerProvider
	next     sdk.SpanProcessor // the library's batches
	inner    *otlptrace.Exporter
	client   *client
	inside   atomic.Int64 // spans between End and the receiver's answer
	ended    chan struct{}
	once     sync.Once
	closed   atomic.Bool

	mu     sync.Mutex
	told   time.Time
	untold int
}

// Open starts an exporter. It connects to nothing before there is a span. Close
// ends it.
func Open(o Options) (*Exporter, error) {
	if o.queue == 0 {
		o.queue = queueSize
	}
	if o.every == 0 {
		o.every = sendEvery
	}
	if o.bound == 0 {
		o.bound = closeBound
	}
	c, err := newClient(o)
	if err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	x := &Exporter{opts: o, client: c, inner: otlptrace.NewUnstarted(c), ended: make(chan struct{})}
	// What the library has to say goes to our log; it writes nothing by itself.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { o.Log.Debug("the tracing library", "err", err) }))
	otel.SetLogger(logr.Discard())
	x.next = sdk.NewBatchSpanProcessor(sending{x}, sdk.WithMaxQueueSize(o.queue), sdk.WithMaxExportBatchSize(min(batchSize, o.queue)), sdk.WithBatchTimeout(o.every), sdk.WithExportTimeout(sendBound))
	x.provider = sdk.NewTracerProvider(
		sdk.WithSpanProcessor(gate{x}),
		sdk.WithSampler(newSampler(o.Share, o.Env.Clock)),
		sdk.WithIDGenerator(ids{o.Env.Rand}),
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", service), attribute.String("service.version", o.Version))),
		sdk.WithRawSpanLimits(sdk.SpanLimits{AttributeCountLimit: mostAttributes, AttributeValueLengthLimit: longestValue}),
		sdk.WithoutPanicRecording(),
	)
	x.tracer = trace.New(x.provider.Tracer(service), o.Env.Clock, o.Share, o.Propagate)
	return x, nil
}

// Tracer begins the traces that this exporter sends.
func (x *Exporter) Tracer() *trace.Tracer {
	if x == nil {
		return nil
	}
	return x.tracer
}

// Close sends what is left, for a few seconds at most, and ends everything that
// Open started. What ends later is left out.
func (x *Exporter) Close() {
	if x == nil {
		return
	}
	x.once.Do(func() {
		x.closed.Store(true)
		ctx, cancel := context.WithTimeout(context.Background(), x.opts.bound)
		err := x.provider.Shutdown(ctx)
		cancel()
		x.client.cancel() // what is on its way ends now
		<-x.ended
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			x.opts.Log.Debug("the end of tracing", "err", err)
		}
		x.tell(true)
	})
}

// dropped counts spans that nobody will see.
func (x *Exporter) dropped(why string, n int) {
	if n == 0 {
		return
	}
	if x.opts.Dropped != nil {
		x.opts.Dropped(why, n)
	}
	x.mu.Lock()
	x.untold += n
	x.mu.Unlock()
	x.tell(false)
}

// tell says in the log how many spans were left out, once a minute.
func (x *Exporter) tell(now bool) {
	x.mu.Lock()
	at := x.opts.Env.Clock.Now()
	n := x.untold
	if n == 0 || !now && !x.told.IsZero() && at.Sub(x.told) < tellEvery {
		x.mu.Unlock()
		return
	}
	x.told, x.untold = at, 0
	x.mu.Unlock()
	x.opts.Log.Warn("spans were left out: the receiver of traces does not take them, or not fast enough", "spans", n)
}

// gate stands before the library's queue and lets in what fits, so that what
// does not can be counted.
type gate struct{ x *Exporter }

// OnStart is part of sdk.SpanProcessor.
func (gate) OnStart(context.Context, sdk.ReadWriteSpan) {}

// OnEnd takes a span, or counts it as left out; it never waits.
func (g gate) OnEnd(s sdk.ReadOnlySpan) {
	if !s.SpanContext().IsSampled() || idle(s) {
		return
	}
	if g.x.closed.Load() {
		g.x.dropped(Unsent, 1)
		return
	}
	if g.x.inside.Add(1) > int64(g.x.opts.queue) {
		g.x.inside.Add(-1)
		g.x.dropped(Full, 1)
		return
	}
	g.x.next.OnEnd(s)
}

func idle(s sdk.ReadOnlySpan) bool {
	for _, a := range s.Attributes() {
		if a.Key == trace.Idle {
			return true
		}
	}
	return false
}

// Shutdown is part of sdk.SpanProcessor.
func (g gate) Shutdown(ctx context.Context) error { return g.x.next.Shutdown(ctx) }

// ForceFlush is part of sdk.SpanProcessor.
func (g gate) ForceFlush(ctx context.Context) error { return g.x.next.ForceFlush(ctx) }

// sending counts what became of each batch.
type sending struct{ x *Exporter }

// ExportSpans is part of sdk.SpanExporter.
func (s sending) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	err := s.x.inner.ExportSpans(ctx, spans)
	s.x.inside.Add(-int64(len(spans)))
	taken, why := len(spans), Unsent
	var r *refusal
	switch {
	case errors.As(err, &r):
		taken, why = len(spans)-min(r.spans, len(spans)), Refused
	case err != nil:
		taken = 0
	}
	if err != nil {
		s.x.opts.Log.Debug("spans were not taken", "spans", len(spans)-taken, "err", err)
	}
	if s.x.opts.Sent != nil {
		s.x.opts.Sent(taken)
	}
	s.x.dropped(why, len(spans)-taken)
	return nil // it is counted; the library need not tell of it
}

// Shutdown is called by the library when the last batch is through.
func (s sending) Shutdown(context.Context) error {
	close(s.x.ended)
	return nil
}
