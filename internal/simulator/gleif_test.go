package simulator

import (
	"fmt"
	"net/url"
	"testing"
	"time"
)

func TestLEIsHaveGoodCheckDigits(t *testing.T) {
	for _, real := range []string{"254900LNRYNOQ9YPU758", "5493001KJTIIGC8Y1R12", "21380068P1DRHMJ8KU70", "529900GRZ2BQY5ZM9N49", LEI(0), LEI(1001), LEI(1_000_000_000)} {
		if !ValidLEI(real) {
			t.Errorf("ValidLEI(%q) = false, want true", real)
		}
	}
	for _, bad := range []string{"", "254900LNRYNOQ9YPU759", "254900LNRYNOQ9YUP758", "254900lnrynoq9ypu758", "254900LNRYNOQ9YPU7588"} {
		if ValidLEI(bad) {
			t.Errorf("ValidLEI(%q) = true, want false", bad)
		}
	}
}

func TestGLEIFFilters(t *testing.T) {
	g := openVendor(t, GLEIF(), leiSeed())
	tests := []struct{ filter, value, want string }{
		{"lei", LEI(3) + "," + LEI(1), "[" + LEI(1) + " " + LEI(3) + "]"},
		{"entity.legalName", "engines", "[" + LEI(1) + " " + LEI(3) + "]"},
		{"entity.legalName", "motor gmbh", "[" + LEI(3) + "]"},
		{"entity.legalName", "美跃包装", "[" + LEI(2) + "]"},
		{"entity.legalAddress.country", "CN", "[" + LEI(2) + "]"},
		{"entity.registeredAs", "01234567", "[" + LEI(1) + "]"},
		{"fulltext", "koln", "[" + LEI(3) + "]"},
		{"fulltext", "nobody", "[]"},
	}
	for _, tt := range tests {
		r := g.must(200, "GET", "/api/v1/lei-records?filter["+tt.filter+"]="+url.QueryEscape(tt.value), "")
		ids := []string{}
		for i := range r.len("data") {
			ids = append(ids, r.str(fmt.Sprintf("data/%d/id", i)))
		}
		if fmt.Sprint(ids) != tt.want {
			t.Errorf("filter[%s]=%s gives %v, want %s", tt.filter, tt.value, ids, tt.want)
		}
	}
	g.must(400, "GET", "/api/v1/lei-records?filter[nonsense]=1", "")
	g.must(400, "GET", "/api/v1/lei-records?page[size]=201", "")
	if r := g.must(404, "GET", "/api/v1/lei-records/"+LEI(9), ""); r.str("errors/0/status") != "404" || r.header.Get("Content-Type") != "application/vnd.api+json" {
		t.Errorf("a missing record is answered %v %s", r.header, r.raw)
	}
}

func TestGLEIFPagesAndPublishes(t *testing.T) {
	made, err := Synthetic(100, 7)
	if err != nil {
		t.Fatal(err)
	}
	g := openVendor(t, GLEIF(), made.GLEIF)
	seen, next, pages := map[string]bool{}, "/api/v1/lei-records?page[size]=20", 0
	for next != "" && pages < 20 {
		r := g.must(200, "GET", next, "")
		pages++
		for i := range r.len("data") {
			id := r.str(fmt.Sprintf("data/%d/id", i))
			seen[id] = true
			if !ValidLEI(id) {
				t.Errorf("%s is no LEI", id)
			}
		}
		next = r.str("links/next")
	}
	if len(seen) != 50 || pages != 3 {
		t.Errorf("%d records on %d pages, want 50 on 3", len(seen), pages)
	}
	before := g.must(200, "GET", "/api/v1/lei-records/"+LEI(1), "")
	g.do("POST", "/_admin/edit", `{"object":"lei-records","id":"`+LEI(1)+`","fields":{"city":"York"}}`)
	after := g.must(200, "GET", "/api/v1/lei-records/"+LEI(1), "")
	if date := "meta/goldenCopy/publishDate"; before.str(date) == after.str(date) || after.str("data/attributes/entity/legalAddress/city") != "York" || after.str("data/attributes/registration/lastUpdateDate") == before.str("data/attributes/registration/lastUpdateDate") {
		t.Errorf("after an issuer's edit the record is %s", after.raw)
	}
	r := g.do("POST", "/_admin/edit", `{"object":"lei-records","fields":{"name":"New Ltd"}}`)
	if r.status != 201 || !ValidLEI(r.str("id")) {
		t.Errorf("a new record is %d %s", r.status, r.raw)
	}
	g.settings(Settings{Limits: []Limit{{Requests: 60, Seconds: 60}}})
	for range 60 {
		g.must(200, "GET", "/api/v1/lei-records/"+LEI(1), "")
	}
	g.clock.add(15 * time.Second)
	if r := g.must(429, "GET", "/api/v1/lei-records/"+LEI(1), ""); r.header.Get("Retry-After") != "45" {
		t.Errorf("the 61st request is answered %v", r.header)
	}
}
