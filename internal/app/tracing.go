package app

import (
	"context"
	"fmt"
	"sync"

	"touchstone/config"
	"touchstone/internal/outbox"
	"touchstone/internal/store"
	"touchstone/internal/trace"
	"touchstone/internal/trace/otlp"
)

// tracing is the exporter of the configuration in force. It outlives a reload
// that does not change it.
type tracing struct {
	mu       sync.Mutex
	config   config.Trace
	exporter *otlp.Exporter
}

// startTracing has the work of this configuration traced, or not.
func (a *App) startTracing() error {
	t, cfg := &a.life.tracing, a.Config.Trace
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.exporter != nil && !t.config.Same(cfg) {
		t.exporter.Close()
		t.exporter = nil
	}
	if t.exporter == nil && cfg.Endpoint != "" {
		headers := make(map[string]string, len(cfg.Headers))
		for name, v := range cfg.Headers {
			headers[name] = v.Reveal()
		}
		x, err := otlp.Open(otlp.Options{
			Endpoint: cfg.Address(), Headers: headers, Share: float64(cfg.Sample), Propagate: cfg.Propagate, Env: a.opts.Env, Log: a.Log, Version: Version(),
			Sent: a.life.metrics.spansSent, Dropped: a.life.metrics.spansDropped,
		})
		if err != nil {
			return fmt.Errorf("start tracing: %w", err)
		}
		t.exporter = x
	}
	t.config = cfg
	a.tracer = t.exporter.Tracer()
	return nil
}

// stopTracing sends what is left, for a few seconds at most.
func (l *life) stopTracing() {
	l.tracing.mu.Lock()
	defer l.tracing.mu.Unlock()
	l.tracing.exporter.Close()
	l.tracing.exporter = nil
}

// Tracer begins traces under the configuration in force; nil where there are none.
func (a *App) Tracer() *trace.Tracer { return a.tracer }

// tracePull begins the span of a source's turn.
func (a *App) tracePull(ctx context.Context, s *system) (context.Context, *trace.Span) {
	return a.tracer.Start(ctx, "pull", trace.Text("touchstone.source", s.source.Name))
}

func endPull(span *trace.Span, c store.Counts, err error) {
	span.Set(trace.Int("touchstone.pulled", c.Pulled), trace.Int("touchstone.stored", c.Stored), trace.Int("touchstone.quarantined", c.Quarantined), trace.Int("touchstone.gone", c.Gone))
	span.End(err)
}

// traceResolve begins the span of the resolver's turn. Done ends it, unless
// nothing was there to do; between them progress says what was.
func (a *App) traceResolve(ctx context.Context, progress Progress) (_ context.Context, told Progress, end func(error)) {
	if a.tracer == nil {
		return ctx, progress, func(error) {}
	}
	var mu sync.Mutex
	worked := false
	ctx, span := a.tracer.Start(ctx, "resolve")
	told = func(stage, name string, done int) {
		mu.Lock()
		worked = worked || done > 0
		mu.Unlock()
		progress(stage, name, done)
	}
	return ctx, told, func(err error) {
		mu.Lock()
		defer mu.Unlock()
		if !worked && err == nil {
			span.Forget()
			return
		}
		span.End(err)
	}
}

// tracePush begins the span of a delivery to a target.
func (a *App) tracePush(ctx context.Context, t *target) (context.Context, *trace.Span) {
	return a.tracer.Start(ctx, "push", trace.Text("touchstone.target", t.config.Name))
}

func endPush(span *trace.Span, r outbox.Report, err error) {
	if err == nil && r.Sent+r.Delivered+r.Rejected+r.Unknown+r.Retried+r.Replanned == 0 {
		span.Forget()
		return
	}
	span.Set(
		trace.Int("touchstone.sent", r.Sent), trace.Int("touchstone.delivered", r.Delivered), trace.Int("touchstone.rejected", r.Rejected),
		trace.Int("touchstone.unknown", r.Unknown), trace.Int("touchstone.retried", r.Retried), trace.Int("touchstone.replanned", r.Replanned), trace.Bool("touchstone.held", r.Held != ""),
	)
	span.End(err)
}
