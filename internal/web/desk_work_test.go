package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// assigned keeps who was given a pair, and until when.
type assigned struct {
	office
	did *[]string
}

func (f assigned) AssignPair(_ context.Context, id, to string, _ By) error {
	*f.did = append(*f.did, id+" to "+to)
	return nil
}

func (f assigned) DuePair(_ context.Context, id string, due time.Time, _ By) error {
	*f.did = append(*f.did, id+" due "+due.Format(time.DateOnly))
	return nil
}

func TestAPairIsGivenWholeOrNot(t *testing.T) {
	tests := []struct {
		form string
		code int
		want []string
	}{
		{"to=bo", http.StatusSeeOther, []string{"1-2 to bo"}},
		{"to=bo&due=2026-02-01", http.StatusSeeOther, []string{"1-2 to bo", "1-2 due 2026-02-01"}},
		{"to=bo&take=nobody", http.StatusSeeOther, []string{"1-2 to "}},
		{"to=bo&due=soon", http.StatusUnprocessableEntity, nil},
	}
	for _, tt := range tests {
		f := assigned{newOffice(), new([]string)}
		form, err := url.ParseQuery(tt.form)
		if err != nil {
			t.Fatal(err)
		}
		w := post(t, newHandler(f, nil), "/review/1-2/assign", form)
		if w.Code != tt.code || !slices.Equal(*f.did, tt.want) {
			t.Errorf("%s: %d and %q, want %d and %q", tt.form, w.Code, strings.Join(*f.did, ", "), tt.code, strings.Join(tt.want, ", "))
		}
	}
}
