package api

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"touchstone/internal/env"
	"touchstone/internal/trace"
	"touchstone/internal/trace/otlp"
	"touchstone/internal/trace/tracetest"
)

// TestWhatWentWrongIsLoggedWithItsTrace: the line of a request that failed leads to
// where its time went.
func TestWhatWentWrongIsLoggedWithItsTrace(t *testing.T) {
	var log bytes.Buffer
	own := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(own.CloseIdleConnections)
	e := env.Real()
	e.HTTP = own
	tracing, err := otlp.Open(otlp.Options{Endpoint: tracetest.New(t).URL + "/v1/traces", Share: 1, Env: e, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tracing.Close)
	ctx, span := tracing.Tracer().Start(t.Context(), "request")
	x := &api{opts: Options{Env: e, Log: trace.Logged(slog.New(slog.NewTextHandler(&log, nil)))}}
	err = x.problem(ctx, "listCustomers", errors.New("the disk is full"))
	span.End(err)
	var p *Problem
	if !errors.As(err, &p) || p.Status != http.StatusInternalServerError || p.ID == "" || strings.Contains(p.Detail, "disk") {
		t.Fatalf("problem %+v, want 500 with a number and without the reason", err)
	}
	for _, want := range []string{"the disk is full", "request=" + p.ID, "trace_id=" + span.ID()} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log says %q, want %q in it", log.String(), want)
		}
	}
}
