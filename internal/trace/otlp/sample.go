package otlp

import (
	"context"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	otel "go.opentelemetry.io/otel/trace"
	"golang.org/x/time/rate"

	"touchstone/internal/env"
)

// Callers that ask to be traced are, so many times a second: nobody fills the
// queue from outside.
const (
	askedPerSecond = 10
	askedAtOnce    = 100
)

// sampler takes all of our own work, which is little and is what people look
// for, and a share of requests; a caller who is traced is followed.
type sampler struct {
	share sdk.Sampler
	asked *rate.Limiter
	clock env.Clock
}

func newSampler(share float64, clock env.Clock) sampler {
	return sampler{sdk.TraceIDRatioBased(share), rate.NewLimiter(rate.Every(time.Second/askedPerSecond), askedAtOnce), clock}
}

// ShouldSample is part of sdk.Sampler.
func (s sampler) ShouldSample(p sdk.SamplingParameters) sdk.SamplingResult {
	parent := otel.SpanContextFromContext(p.ParentContext)
	// What a caller writes beside its number (tracestate) is not passed on.
	take, leave := sdk.SamplingResult{Decision: sdk.RecordAndSample}, sdk.SamplingResult{Decision: sdk.Drop}
	switch {
	case parent.IsValid() && !parent.IsRemote(), p.Kind != otel.SpanKindServer:
		return take
	case parent.IsValid() && parent.IsSampled() && s.asked.AllowN(s.clock.Now(), 1):
		return take
	case parent.IsValid():
		return leave
	}
	return s.share.ShouldSample(p)
}

// Description is part of sdk.Sampler.
func (sampler) Description() string { return service }

// ids makes numbers from our own randomness.
type ids struct{ rand func([]byte) }

// NewIDs is part of sdk.IDGenerator.
func (g ids) NewIDs(ctx context.Context) (t otel.TraceID, s otel.SpanID) {
	if g.rand(t[:]); !t.IsValid() {
		t[0] = 1 // zero means none
	}
	return t, g.NewSpanID(ctx, t)
}

// NewSpanID is part of sdk.IDGenerator.
func (g ids) NewSpanID(context.Context, otel.TraceID) (s otel.SpanID) {
	if g.rand(s[:]); !s.IsValid() {
		s[0] = 1
	}
	return s
}
