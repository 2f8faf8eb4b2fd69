package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// shelf keeps what its pages are asked to keep.
type shelf struct {
	office
	saved   []string
	dropped []string
}

func (f *shelf) SaveView(_ context.Context, page string, v View) error {
	shared := ""
	if v.Shared {
		shared = " shared"
	}
	f.saved = append(f.saved, page+" "+v.Name+" "+v.Query+shared)
	return nil
}

func (f *shelf) DropView(_ context.Context, page, id, _ string, others bool) error {
	if others {
		id += " of anybody"
	}
	f.dropped = append(f.dropped, page+" "+id)
	return nil
}

// TestViewsOfThreePages: the queue, the customers and the quarantine keep their
// lists in the same way.
func TestViewsOfThreePages(t *testing.T) {
	const at, private, unnamed, unasked = "", "holds no search text", "Give the view a name", "set one first"
	tests := []struct {
		page, name, query, shared string
		to, kept, told            string
	}{
		{"customers", "big  ones", "q=%E7%BE%8E&evil=1", "", "/customers?q=%E7%BE%8E", "customers big ones q=%E7%BE%8E", at},
		{"customers", "mine", "source=crm&after=x", "1", "/customers?source=crm", "customers mine source=crm shared", at},
		{"customers", "mine", "q=Li+Wei", "1", "", "", private},
		{"customers", " ", "q=x", "", "", "", unnamed},
		{"customers", "all", "evil=1", "", "", "", unasked},
		{"review", "vetoes", "kind=veto&text=Li", "", "/review/list?kind=veto&text=Li", "review vetoes kind=veto&text=Li", at},
		{"review", "vetoes", "kind=veto", "1", "/review/list?kind=veto", "review vetoes kind=veto shared", at},
		{"review", "vetoes", "kind=veto&text=Li", "1", "", "", private},
		{"quarantine", "old", "age=30&state=open&q=x", "1", "/quarantine?age=30&state=open", "quarantine old age=30&state=open shared", at},
		{"quarantine", "", "age=30", "", "", "", unnamed},
	}
	f := &shelf{office: newOffice()}
	h := newHandler(f, nil)
	for _, tt := range tests {
		f.saved = nil
		w := submit(t, h, "/"+tt.page+"/views", url.Values{"name": {tt.name}, "query": {tt.query}, "shared": {tt.shared}}.Encode())
		if tt.told != "" {
			if w.Code != 422 || !strings.Contains(w.Body.String(), tt.told) || len(f.saved) != 0 {
				t.Errorf("%s %q %s: %d, kept %v; want 422 and %q", tt.page, tt.name, tt.query, w.Code, f.saved, tt.told)
			}
			continue
		}
		to, err := url.QueryUnescape(w.Header().Get("Location"))
		want, _ := url.QueryUnescape(tt.to)
		if w.Code != http.StatusSeeOther || err != nil || strings.ToValidUTF8(to, "\uFFFD") != want || len(f.saved) != 1 {
			t.Errorf("%s %q %s: %d to %s, kept %v; want %s and %q", tt.page, tt.name, tt.query, w.Code, to, f.saved, tt.to, tt.kept)
		}
	}
}

func TestViewsAreOfferedWithTheirKeys(t *testing.T) {
	f := &shelf{office: newOffice()}
	h := newHandler(f, nil)
	for path, wants := range map[string][]string{
		"/customers?source=crm":   {`href="/customers?entity=company&amp;q=%E7%BE%8E" data-key="1"`, "&lt;b&gt;mine", `href="/customers?source=crm" aria-current="page" data-key="2" title="shared by bob@example.com"`, `name="query" value="source=crm"`, `data-key="v"`},
		"/review/list?source=crm": {`href="/review/list?source=crm" aria-current="page" data-key="2"`, "all of review", `action="/review/views"`, `name="shared"`},
		"/quarantine?source=crm":  {`href="/quarantine?source=crm" aria-current="page" data-key="2"`, "all of quarantine", `action="/quarantine/views/v2/drop"`},
	} {
		body := get(t, h, path).Body.String()
		for _, want := range wants {
			if !strings.Contains(body, want) {
				t.Errorf("%s says no %q", path, want)
			}
		}
	}
	for _, page := range []string{"/customers", "/review/list", "/quarantine"} {
		if strings.Contains(get(t, h, page).Body.String(), `name="query"`) {
			t.Errorf("%s without filters offers to be kept", page)
		}
	}
	for _, page := range []string{"customers", "review", "quarantine"} {
		if w := submit(t, h, "/"+page+"/views/v2/drop", ""); w.Code != http.StatusSeeOther {
			t.Errorf("dropped from %s: %d", page, w.Code)
		}
	}
	if got, want := strings.Join(f.dropped, ", "), "customers v2 of anybody, review v2 of anybody, quarantine v2 of anybody"; got != want {
		t.Errorf("dropped %q, want %q", got, want)
	}
}
