package config

import (
	"strings"
	"testing"
)

func TestTrace(t *testing.T) {
	const source = "\nsources: {crm: {type: file, path: crm.csv, entities: {company: {id: record.id, map: {name: record.name}}}}}\n"
	for _, tt := range []struct{ yaml, address, problem string }{
		{`{}`, "", ""},
		{`{endpoint: "http://127.0.0.1:4318", headers: {X-Key: canary}}`, "http://127.0.0.1:4318/v1/traces", ""},
		{`{endpoint: "http://[::1]:4318/", headers: {X-Key: canary}}`, "http://[::1]:4318/v1/traces", ""},
		{`{endpoint: "http://[::ffff:127.0.0.1]:4318", headers: {X-Key: canary}}`, "http://[::ffff:127.0.0.1]:4318/v1/traces", ""},
		{`{endpoint: "http://[0:0:0:0:0:0:0:1]:4318", headers: {X-Key: canary}}`, "http://[0:0:0:0:0:0:0:1]:4318/v1/traces", ""},
		{`{endpoint: "http://localhost:4318", headers: {X-Key: canary}}`, "http://localhost:4318/v1/traces", ""},
		{`{endpoint: "http://collector:4318"}`, "http://collector:4318/v1/traces", ""},
		{`{endpoint: "https://tempo.example.com/otlp/v1/traces", headers: {Authorization: Bearer canary}, sample: 0%}`, "https://tempo.example.com/otlp/v1/traces", ""},
		{`{endpoint: "http://collector:4318", headers: {X-Key: canary}}`, "", "want https"},
		{`{endpoint: "https://user:canary@tempo.example.com"}`, "", "what is secret belongs in headers"},
		{`{endpoint: "https://tempo.example.com/?a=b"}`, "", "what is secret belongs in headers"},
		{`{endpoint: "ftp://tempo.example.com"}`, "", "is no address"},
		{`{endpoint: "https://tempo.example.com", headers: {Traceparent: canary}}`, "", "is set already"},
		{`{endpoint: "https://tempo.example.com", headers: {X-Key: canary, x-key: canary2}}`, "", "x-key: is the same header as X-Key"},
	} {
		cfg, err := Parse("t.yaml", []byte("trace: "+tt.yaml+source), world())
		if tt.problem != "" {
			if err == nil || !strings.Contains(err.Error(), tt.problem) || strings.Contains(err.Error(), "canary") {
				t.Errorf("%s: %v, want a problem that says %q and shows no secret", tt.yaml, err, tt.problem)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.yaml, err)
			continue
		}
		if got := cfg.Trace.Address(); got != tt.address {
			t.Errorf("%s: address %q, want %q", tt.yaml, got, tt.address)
		}
		if !cfg.Trace.Same(cfg.Trace) || cfg.Trace.Same(Trace{Endpoint: "https://other.example.com"}) {
			t.Errorf("%s: Same is wrong", tt.yaml)
		}
	}
}
