package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// cutOff gives parts of a long list and fails before its end.
type cutOff struct {
	office
	parts int
}

func (c cutOff) QuarantinePage(_ context.Context, f QuarantineFilter) (p QuarantinePage, err error) {
	n := 0
	if f.After != "" {
		_, _ = fmt.Sscanf(f.After, "q%d", &n)
	}
	if n == c.parts {
		return p, errors.New("the database went away")
	}
	for range f.Limit {
		p.Rows = append(p.Rows, quarantineRow())
	}
	p.Next = fmt.Sprint("q", n+1)
	return p, nil
}

func TestExportNeverEndsAsIfItWereWhole(t *testing.T) {
	for parts, want := range map[int]string{0: "500 Internal Server Error, <nil>, 0 times seen", 2: "200 OK, unexpected EOF, 2 times seen"} {
		o := newOffice()
		srv := httptest.NewUnstartedServer(newHandler(cutOff{o, parts}, nil))
		srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
		srv.Start()
		resp, err := http.Get(srv.URL + "/quarantine.csv")
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		srv.Close()
		seen := strings.Count(o.seen.text(), "read.quarantine.export")
		if got := fmt.Sprintf("%s, %v, %d times seen", resp.Status, err, seen); got != want {
			t.Errorf("an export that fails after %d parts: %s; want %s", parts, got, want)
		}
	}
}
