package web

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
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

// answering keeps the answers, of which all wait for a second account.
type answering struct {
	office
	got *[]PairAnswer
}

func (f answering) AnswerPair(_ context.Context, q PairAnswer, _ By) (PairOutcome, error) {
	*f.got = append(*f.got, q)
	return PairOutcome{State: OutcomeProposed}, nil
}

// TestRelatedSaysHow: without a kind of relation nothing is decided, and where the
// answer waits the page says that the relation does not.
func TestRelatedSaysHow(t *testing.T) {
	for _, l := range languages() {
		w := words{l}
		for _, tt := range []struct {
			say, told string
			code      int
			want      []PairAnswer
		}{
			{"relate", w.T("desk.relate.none"), http.StatusUnprocessableEntity, nil},
			{"relate:", w.T("desk.relate.none"), http.StatusUnprocessableEntity, nil},
			{"relate:branch_of", w.T("told.parting"), http.StatusOK, []PairAnswer{{ID: "1-2", Answer: AnswerApart, Relation: RelateBranchOf}}},
			{"apart", w.T("told.proposed"), http.StatusOK, []PairAnswer{{ID: "1-2", Answer: AnswerApart}}},
		} {
			f := answering{newOffice(), new([]PairAnswer)}
			got := post(t, newHandler(f, nil), "/review/1-2", url.Values{"say": {tt.say}}, "Accept", "application/json", "Accept-Language", l.Code)
			var a answered
			if err := json.Unmarshal(got.Body.Bytes(), &a); err != nil {
				t.Fatal(err)
			}
			if got.Code != tt.code || a.Text != tt.told || !cmp.Equal(*f.got, tt.want) {
				t.Errorf("%s: %s: %d %q and %+v, want %d %q and %+v", l.Code, tt.say, got.Code, a.Text, *f.got, tt.code, tt.told, tt.want)
			}
		}
	}
}

// TestWhatStandsAgainstAnAnswerIsSaidInWords: decisions of every kind, whether an
// answer to a pair makes them or not.
func TestWhatStandsAgainstAnAnswerIsSaidInWords(t *testing.T) {
	kinds := []string{
		AnswerSame, AnswerApart, AnswerUnsure, "merge", "split", "pin", "unpin", "unsure", "import", "undo", "expiry", "map", "handover", "relation", "ended",
	}
	for _, l := range languages() {
		w := words{l}
		for _, kind := range kinds {
			want, ok := w.table["answer."+kind]
			if !ok {
				want = w.table["decision."+kind]
			}
			got := w.outcome(PairOutcome{State: OutcomeRefused, Earlier: []PairDecided{{ID: "d1", Answer: kind, Who: "bo", At: testNow}}})
			if want == "" || !strings.Contains(got, want) || l.Code != "en" && strings.Contains(got, kind) {
				t.Errorf("%s: %s is said as %q, want %q in it", l.Code, kind, got, want)
			}
		}
	}
	if got := (words{languages()[0]}).outcome(PairOutcome{State: OutcomeRefused, Earlier: []PairDecided{{Answer: "relation", Who: "bo", At: testNow}}}); !strings.Contains(got, "bo said “related”") {
		t.Errorf("a relation is said as %q", got)
	}
}
