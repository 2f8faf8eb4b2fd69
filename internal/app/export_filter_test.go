package app

import (
	"bytes"
	"encoding/csv"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"golang.org/x/net/html"

	"touchstone/internal/web"
)

// TestTheExportTakesTheListThatIsShown follows the link of a narrowed list: the
// table has what the list has, and arrives although the installation's clock is
// not the one of the connection.
func TestTheExportTakesTheListThatIsShown(t *testing.T) {
	t.Parallel()
	w := relatedWorld(t, "", 6, 6)
	srv := httptest.NewServer(web.New(w.app, web.Options{Env: w.env, ShowValues: true}))
	t.Cleanup(srv.Close)
	ask := func(path string) io.Reader {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := srv.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		return bytes.NewReader(body)
	}
	for path, want := range map[string]int{"/customers": 12, "/customers?entity=person": 6, "/customers?q=Quartz&entity=company": 1, "/customers?q=Quartz&source=people": 1} {
		doc, err := html.Parse(ask(path))
		if err != nil {
			t.Fatal(err)
		}
		link := ""
		for n := range doc.Descendants() {
			if a := attributes(n); n.Data == "a" && a["class"] == "export" {
				link = a["href"]
			}
		}
		rows, err := csv.NewReader(ask(link)).ReadAll()
		if err != nil || len(rows) != want+1 {
			t.Errorf("%s leads to %s with %d rows, %v; want %d below the header", path, link, len(rows), err, want)
		}
	}
}

func attributes(n *html.Node) map[string]string {
	out := map[string]string{}
	for _, a := range n.Attr {
		out[a.Key] = a.Val
	}
	return out
}
