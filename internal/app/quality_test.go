package app

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"touchstone/internal/record"
	"touchstone/internal/web"
)

// measured counts, and fails the test where that fails.
func (w *world) measured() int {
	w.Helper()
	n, err := w.app.Measure(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	return n
}

// TestEveryFigureIsItsRecords: over the demo, each figure of each field of each
// source leads to as many records, or values, as it says.
func TestEveryFigureIsItsRecords(t *testing.T) {
	t.Parallel()
	w := openDemo(t)
	if n := w.measured(); n != 6 {
		t.Errorf("%d profiles were made, want 6", n)
	}
	if n := w.measured(); n != 0 {
		t.Errorf("%d profiles were made anew of what is the same", n)
	}
	ctx := t.Context()
	q, err := w.app.Quality(ctx)
	if err != nil {
		t.Fatal(err)
	}
	drilled := 0
	for _, e := range q.Entities {
		for _, s := range e.Sources {
			if s.Score.Score <= 0 || s.Score.Score > 100 || s.Score.Records == 0 {
				t.Errorf("%s %s scores %+v", s.Source, e.Entity, s.Score)
			}
			for i, f := range s.Fields {
				if f.Filled+f.Missing != s.Score.Records || f.Valid+f.Invalid != f.Values {
					t.Errorf("%s %s %s does not add up: %+v", s.Source, e.Entity, e.Fields[i], f)
				}
				figures := []struct {
					is, value string
					n         int
				}{{"missing", "", f.Missing}, {"filled", "", f.Filled}, {"invalid", "", f.Invalid}, {"dirty", "", f.Dirty}}
				p, err := w.app.FieldProfile(ctx, s.Source, e.Entity, e.Fields[i])
				if err != nil {
					t.Fatal(err)
				}
				sum := p.OtherShapes
				for k, c := range p.Shapes {
					if sum += c.N; k < 2 {
						figures = append(figures, struct {
							is, value string
							n         int
						}{"shape", c.Name, c.N})
					}
				}
				if sum != f.Values {
					t.Errorf("%s %s %s: shapes of %d values, want %d", s.Source, e.Entity, e.Fields[i], sum, f.Values)
				}
				for _, x := range figures {
					drilled++
					if drilled%10 == 0 { // looked at in small parts, it is as many
						if got := w.behind(web.FieldQuery{Source: s.Source, Entity: e.Entity, Field: e.Fields[i], Is: x.is, Value: x.value, Limit: 37, Scan: 60}); got != x.n {
							t.Errorf("%s %s %s %s %q in parts: %d behind it, want %d", s.Source, e.Entity, e.Fields[i], x.is, x.value, got, x.n)
						}
					}
					if got := w.behind(web.FieldQuery{Source: s.Source, Entity: e.Entity, Field: e.Fields[i], Is: x.is, Value: x.value, Limit: 37}); got != x.n {
						t.Errorf("%s %s %s %s %q: %d behind it, want %d", s.Source, e.Entity, e.Fields[i], x.is, x.value, got, x.n)
					}
				}
			}
		}
	}
	if drilled < 200 {
		t.Errorf("%d figures were looked behind, want 200 or more", drilled)
	}
	for _, bad := range [][3]string{{"none", "company", "name"}, {"crm", "none", "name"}, {"crm", "company", "none"}} {
		if _, err := w.app.FieldProfile(ctx, bad[0], bad[1], bad[2]); !errors.Is(err, record.ErrNotFound) {
			t.Errorf("field %v: %v, want not found", bad, err)
		}
	}
}

// behind counts what is listed behind a figure: values, or records where the
// figure counts records.
func (w *world) behind(q web.FieldQuery) (n int) {
	w.Helper()
	for {
		p, err := w.app.FieldRecords(w.Context(), q)
		if err != nil {
			w.Fatal(err)
		}
		for _, r := range p.Rows {
			if q.Is == "missing" || q.Is == "filled" {
				n++
			} else {
				n += len(r.Values)
			}
		}
		if p.Next == "" {
			return n
		}
		q.After = p.Next
	}
}

// TestTheScoreMovesWithItsReasons: what moved the score adds up to the change.
func TestTheScoreMovesWithItsReasons(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, crm, _ := two(t, dsn, []string{acme("c1", "2", `,"phone":"+44 113 496 0001","email":"info@acmetools.example"`), acme("c2", "3", "")}, []string{acme("o1", "1", "")})
		w.open()
		w.clean()
		w.measured()
		h, err := w.app.Health(t.Context(), 30)
		if err != nil || len(h.Days) != 1 || h.Change != 0 {
			t.Fatalf("health on the first day: %+v, %v", h, err)
		}
		w.sleep(24 * time.Hour)
		crm.edit("c1", map[string]any{"phone": "unknown", "email": nil})
		w.clean()
		w.measured()
		if h, err = w.app.Health(t.Context(), 30); err != nil || len(h.Days) != 2 || len(h.Moved) == 0 {
			t.Fatalf("health on the second day: %+v, %v", h, err)
		}
		sum := 0.0
		for _, m := range h.Moved {
			sum += m.Points
		}
		if h.Change >= 0 || math.Abs(sum-h.Change) > 0.25 {
			t.Errorf("the score moved by %.2f, its reasons by %.2f: %+v", h.Change, sum, h.Moved)
		}
		if h.Moved[0].Source != "crm" || h.Moved[0].Points >= 0 {
			t.Errorf("the strongest reason is %+v, want crm's loss", h.Moved[0])
		}
		s, err := w.app.SchemaPage(t.Context(), "crm")
		if err != nil || len(s.Entities) != 1 {
			t.Fatalf("schema: %+v, %v", s, err)
		}
		seen := map[string]string{}
		for _, f := range s.Entities[0].Fields {
			seen[f.Path] = fmt.Sprint(f.MappedTo, !f.Gone.IsZero(), !f.Changed.IsZero(), f.New)
		}
		if !strings.HasPrefix(seen["phone"], "[phone] false") || seen["email"] == "" {
			t.Errorf("fields of the source: %v", seen)
		}
	})
}

func TestWordsInExpressions(t *testing.T) {
	tests := []struct {
		text, word string
		want       bool
	}{
		{"record.phone", "phone", true},
		{"record.phones", "phone", false},
		{"record.telephone", "phone", false},
		{`record["phone"] ?? ""`, "phone", true},
		{"record.电话号码", "电话", false},
		{"record.电话", "电话", true},
		{"", "x", false},
		{"x", "", false},
	}
	for _, tt := range tests {
		if got := mentioned(tt.text, tt.word); got != tt.want {
			t.Errorf("mentioned(%q, %q) = %v, want %v", tt.text, tt.word, got, tt.want)
		}
	}
}

func TestProvincesByName(t *testing.T) {
	for name, want := range map[string]string{"上海市": "31", "上海": "31", "Shanghai": "31", "內蒙古自治區": "15", "新疆维吾尔自治区": "65", "Guangdong Province": "44", "香港特别行政区": "81", "Bayern": "", "": ""} {
		if got := provinceCode(name); got != want {
			t.Errorf("provinceCode(%q) = %q, want %q", name, got, want)
		}
	}
}

// TestANewDayHasItsScore: days are those of UTC, wherever the machine stands; a
// new one is counted although nothing has moved.
func TestANewDayHasItsScore(t *testing.T) {
	t.Parallel()
	w := openHouse(t, "", nil).world
	w.clean()
	w.clock.mu.Lock()
	w.clock.now = time.Date(2026, 3, 2, 7, 59, 0, 0, time.FixedZone("east", 8*3600)) // 23:59 UTC of the day before
	w.clock.mu.Unlock()
	if n := w.measured(); n != 1 {
		t.Errorf("%d profiles were made before midnight, want 1", n)
	}
	w.sleep(2 * time.Minute)
	if n := w.measured(); n != 1 {
		t.Errorf("%d profiles were made after midnight, want 1", n)
	}
	rows, err := w.app.Store.HealthSince(t.Context(), "2026-01-01")
	if err != nil {
		t.Fatal(err)
	}
	days := map[string]bool{}
	for _, r := range rows {
		days[r.Day] = true
	}
	if fmt.Sprint(days) != "map[2026-03-01:true 2026-03-02:true]" {
		t.Errorf("there are scores of %v, want the 1st and the 2nd of March", days)
	}
}
