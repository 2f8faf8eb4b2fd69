package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"testing"
)

func bigSeed(n int) Seed {
	s := Seed{}
	for i := range n {
		s["companies"] = append(s["companies"], json.RawMessage(fmt.Sprintf(`{"id":"c%d","updated_at":"2025-11-01T10:%02d:%02dZ","name":"Company %d","city":"Bath","employees":%d}`, 1001+i, i/60%60, i%60, i, i)))
	}
	return s
}

// BenchmarkWrite is one synced update of one of 10,000 objects.
func BenchmarkWrite(b *testing.B) {
	s, err := Open(b.TempDir(), CRM(), bigSeed(10_000))
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	}()
	i := 0
	for b.Loop() {
		i++
		q := request{method: http.MethodPatch, object: "companies", id: fmt.Sprintf("c%d", 1001+i%10_000), body: fmt.Appendf(nil, `{"city":"C%d"}`, i)}
		s.mu.Lock()
		a := s.write(q)
		s.mu.Unlock()
		if a.status != http.StatusOK {
			b.Fatalf("%d %s", a.status, a.body)
		}
	}
}

// BenchmarkPage is one page of 100 out of 10,000 objects.
func BenchmarkPage(b *testing.B) {
	s, err := Open(b.TempDir(), CRM(), bigSeed(10_000))
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	}()
	query := url.Values{"limit": {"100"}, "updated_since": {"2025-11-01T10:30:00Z"}}
	for b.Loop() {
		s.mu.Lock()
		a := s.page("companies", query, "")
		s.mu.Unlock()
		if a.status != http.StatusOK {
			b.Fatalf("%d %s", a.status, a.body)
		}
	}
}
