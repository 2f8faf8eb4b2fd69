package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http/httptest"
	"testing"

	"touchstone/internal/env"
)

// TestOwnFilesArePacked: who takes gzip gets the same bytes by it, in a third of
// the length or less, and a first page with them stays below 100 kB.
func TestOwnFilesArePacked(t *testing.T) {
	pages := New(newOffice(), Options{Env: env.Env{Clock: stopped{}, Rand: func([]byte) {}}})
	ask := func(path, accepts string) *httptest.ResponseRecorder {
		t.Helper()
		r := httptest.NewRequestWithContext(t.Context(), "GET", path, nil)
		r.Host = "localhost"
		r.Header.Set("Accept-Encoding", accepts)
		w := httptest.NewRecorder()
		pages.ServeHTTP(w, r)
		return w
	}
	first := ask("/", "gzip").Body.Len()
	for _, path := range []string{"/assets/touchstone.css", "/assets/touchstone.js"} {
		plain, packed := ask(path, "identity"), ask(path, "br, gzip")
		if plain.Header().Get("Content-Encoding") != "" || packed.Header().Get("Content-Encoding") != "gzip" || packed.Header().Get("Vary") != "Accept-Encoding" {
			t.Fatalf("%s: encodings %q and %q, Vary %q", path, plain.Header().Get("Content-Encoding"), packed.Header().Get("Content-Encoding"), packed.Header().Get("Vary"))
		}
		first += packed.Body.Len()
		if 3*packed.Body.Len() > plain.Body.Len() {
			t.Errorf("%s: %d bytes are packed into %d", path, plain.Body.Len(), packed.Body.Len())
		}
		z, err := gzip.NewReader(packed.Body)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(z); err != nil || !bytes.Equal(got, plain.Body.Bytes()) {
			t.Errorf("%s: unpacked it is another file (%v)", path, err)
		}
	}
	if first > 100_000 {
		t.Errorf("the first page and its files have %d bytes, want 100,000 at most", first)
	}
}
