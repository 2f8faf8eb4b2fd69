package web

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// trail is a trail of n entries that keeps what it was asked for.
type trail struct {
	office
	n     int
	asked *[]AuditQuery
	state AuditState
}

func newTrail(n int) trail {
	return trail{newOffice(), n, new([]AuditQuery), AuditState{Sealed: 12345, Open: 2, Verified: testNow.Add(-2 * time.Minute), Upto: 12340, Checkpoint: testNow, Elsewhere: true}}
}

func (f trail) AuditPage(_ context.Context, q AuditQuery) (AuditPage, error) {
	*f.asked = append(*f.asked, q)
	if q.From == "soon" {
		return AuditPage{}, &Problem{Field: "from", Text: "soon is no date"}
	}
	p := AuditPage{State: f.state, Whos: []string{"anna"}, Whats: []string{"decision.merge", "decision.split", "read.customer"}}
	top := f.n
	if q.Before > 0 {
		top = int(q.Before) - 1
	}
	for i := top; i > 0 && len(p.List) < q.Limit; i-- {
		e := AuditEntry{Seq: int64(i), N: int64(i), At: testNow, Who: "anna", Role: "steward", What: "decision.merge", Outcome: "done", Subjects: []string{fmt.Sprint("d", i), "abcdmfghijkzpqrs", "12-34", "qabcdmfghij", "=1+1"}}
		switch i {
		case f.n:
			e.N = 0
			e.Undo = e.Subjects[0]
		case f.n - 1:
			e.Who, e.Outcome = "=cmd()", "refused"
		}
		p.List = append(p.List, e)
	}
	if n := len(p.List); n > 0 && p.List[n-1].Seq > 1 {
		p.Next = fmt.Sprint(p.List[n-1].Seq)
	}
	return p, nil
}

func TestAuditPage(t *testing.T) {
	f := newTrail(120)
	h := newHandler(f, nil)
	body := get(t, h, "/audit?who=anna&what=decision&subject=%20d7%20&from=2026-01-01&to=2026-01-31&before=100").Body.String()
	if want := (AuditQuery{Who: "anna", What: "decision", Subject: "d7", From: "2026-01-01", To: "2026-01-31", Before: 100, Limit: auditShown}); !cmp.Equal((*f.asked)[0], want) {
		t.Errorf("asked for %+v, want %+v", (*f.asked)[0], want)
	}
	for _, want := range []string{
		"The trail is as it was written", "12\u202f345 entries", "2 min ago", "2 rows wait to be sealed", `value="anna"`, `<option value="decision" selected>`,
		`href="/customers/abcdmfghijkzpqrs"`, `href="/review/12-34"`, `href="/quarantine/qabcdmfghij"`, `href="/audit?subject=d99"`, `href="/audit?what=decision.merge"`,
		`/audit.csv?from=2026-01-01&amp;subject=d7&amp;to=2026-01-31&amp;what=decision&amp;who=anna`, "before=50",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	first := get(t, h, "/audit").Body.String()
	for _, want := range []string{`action="/decisions/d120/undo"`, "open</span>", ">refused</span>", `aria-current="true">Everything`} {
		if !strings.Contains(first, want) {
			t.Errorf("the first page lacks %q", want)
		}
	}
	if strings.Count(first, "/undo\"") != 1 {
		t.Errorf("%d ways to undo, want the one of what is in force", strings.Count(first, "/undo\""))
	}
	bad := get(t, h, "/audit?from=soon&who=bo")
	if s := bad.Body.String(); bad.Code != http.StatusUnprocessableEntity || !strings.Contains(s, "soon is no date") || !strings.Contains(s, `value="bo"`) {
		t.Errorf("a day that is none: %d, want 422 with what is wrong and the form as it was", bad.Code)
	}
	if got := get(t, newHandler(newTrail(0), nil), "/audit?who=x").Body.String(); !strings.Contains(got, "No entry is like that") {
		t.Error("an empty list does not say so")
	}
}

func TestAuditPageSaysWhatIsWrong(t *testing.T) {
	for _, tt := range []struct {
		state AuditState
		want  string
	}{
		{AuditState{Sealed: 5, Verified: testNow, Problem: "entry 3: its row is missing", Found: 2}, "2 problems were found:"},
		{AuditState{Sealed: 5, Verified: testNow, Problem: "entry 3: its row is missing", Found: 2}, "not as it was written"},
		{AuditState{Sealed: 5}, "not checked yet"},
		{AuditState{Sealed: 5, Verified: testNow}, "No checkpoint is kept outside"},
		{AuditState{Sealed: 5, Verified: testNow, Elsewhere: true, Unsent: "the webhook answered 503"}, "the webhook answered 503"},
	} {
		f := newTrail(1)
		f.state = tt.state
		if body := get(t, newHandler(f, nil), "/audit").Body.String(); !strings.Contains(body, tt.want) {
			t.Errorf("%+v: the page lacks %q", tt.state, tt.want)
		}
	}
}

func TestAuditExports(t *testing.T) {
	f := newTrail(2500)
	h := newHandler(f, nil)
	rows, err := csv.NewReader(get(t, h, "/audit.csv?who=anna").Body).ReadAll()
	if err != nil || len(rows) != 2501 {
		t.Fatalf("CSV has %d lines, %v; want 2501", len(rows), err)
	}
	if rows[2][3] != "'=cmd()" || rows[1][7] != "d2500 abcdmfghijkzpqrs 12-34 qabcdmfghij =1+1" || rows[2500][0] != "1" {
		t.Errorf("CSV: %q, %q … %q; want the formula neutralised and the oldest last", rows[1], rows[2], rows[2500])
	}
	if len(*f.asked) != 3 || (*f.asked)[2].Before != 501 {
		t.Errorf("it was read in %d parts (%+v), want 3 of 1000", len(*f.asked), *f.asked)
	}
	n, dec := 0, json.NewDecoder(get(t, h, "/audit.jsonl").Body)
	for ; dec.More(); n++ {
		var e struct {
			Who   string
			About []string
		}
		if err := dec.Decode(&e); err != nil || len(e.About) != 5 {
			t.Fatalf("line %d: %+v, %v", n, e, err)
		}
	}
	if n != 2500 {
		t.Errorf("%d JSON lines, want 2500", n)
	}
	if want := "page:local audit.export trail"; !slices.Equal(f.seen.list(), []string{want, want}) {
		t.Errorf("kept %q, want %q twice", f.seen.list(), want)
	}
	if bad := get(t, h, "/audit.csv?from=soon"); bad.Code != http.StatusUnprocessableEntity {
		t.Errorf("a day that is none: %d, want 422", bad.Code)
	}
}

func TestAuditPageIsWellFormed(t *testing.T) {
	h := newHandler(newTrail(3), nil)
	for _, lang := range languages() {
		for _, path := range []string{"/audit", "/audit?what=decision", "/audit?from=soon"} {
			body := get(t, h, path, "Cookie", "touchstone_lang="+lang.Code).Body.String()
			checkHTML(t, path+" in "+lang.Code, body)
			for _, bad := range []string{" style=", "ZgotmplZ", "%!", "act.", "role.", ">audit."} {
				if strings.Contains(body, bad) {
					t.Errorf("%s in %s carries %q", path, lang.Code, bad)
				}
			}
		}
	}
}

func TestAuditLeadsToCustomersAlone(t *testing.T) {
	const id = "abcdmfghijkzpqrs"
	for _, tt := range []struct {
		what string
		want []string
	}{
		{"read.customer", []string{"/customers/" + id, "/customers/" + id}},
		{"decision.merge", []string{"/customers/" + id, "/customers/" + id}},
		{"golden.save", []string{"/customers/" + id, "/customers/" + id}},
		{"ruling.must", []string{"", "/customers/" + id}},
		{"session.begin", []string{"", ""}},
		{"session.end", []string{"", ""}},
		{"outbox.delivered", []string{"", ""}},
	} {
		var got []string
		for _, x := range (AuditEntry{What: tt.what, Subjects: []string{id, id}}).About() {
			got = append(got, x.Href)
		}
		if !cmp.Equal(got, tt.want) {
			t.Errorf("two ids of the form of a customer's lead from %s to %q, want %q", tt.what, got, tt.want)
		}
	}
}
