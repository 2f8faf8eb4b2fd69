package app

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"touchstone/internal/record"
	"touchstone/internal/store"
)

// relatedWorld has firms f0, f1 … and people p0, p1 … that nothing ties together.
func relatedWorld(t *testing.T, dsn string, firms, people int) *world {
	t.Helper()
	w := newWorld(t, dsn)
	w.yaml = historiesYAML
	w.open()
	fs, ps := &feed{pages: [][]record.Raw{nil}}, &feed{pages: [][]record.Raw{nil}}
	w.app.order[0].intakes[0].Puller, w.app.order[1].intakes[0].Puller = fs, ps
	words := strings.Fields("Quartz Bramble Harbour Velvet Juniper Saddle Copper Lantern Meadow Tundra Whistle Orchid")
	for i := range firms {
		data := fmt.Appendf(nil, `{"id":"f%d","name":"%s Works %d","website":"%s.example"}`, i, words[i], 1000*(i+1), strings.ToLower(words[i]))
		fs.pages[0] = append(fs.pages[0], record.Raw{Entity: record.Company, Data: data})
	}
	for i := range people {
		data := fmt.Appendf(nil, `{"id":"p%d","full_name":"%s Number%c","email":"%s@example.com"}`, i, words[i], 'a'+i, strings.ToLower(words[i]))
		ps.pages[0] = append(ps.pages[0], record.Raw{Entity: record.Person, Data: data})
	}
	w.plan()
	return w
}

// edges shows the relations of a golden record by source records.
func (w *world) edges(id, day string) string {
	w.Helper()
	list, _, err := w.app.RelationsOf(w.Context(), id, day)
	if err != nil {
		w.Fatal(err)
	}
	var out []string
	for _, r := range list {
		out = append(out, edgeText(r))
	}
	return strings.Join(out, "; ")
}

func edgeText(r Relation) string {
	short := func(e End) string { return e.Ref[strings.LastIndex(e.Ref, "/")+1:] }
	text := short(r.A) + " " + r.Kind + " " + short(r.B)
	for _, part := range []string{r.Title, r.Role, r.Stance, r.Share} {
		if part != "" {
			text += " " + part
		}
	}
	if r.Over {
		text += " (over)"
	}
	return text
}

func (w *world) relate(from, kind, to string, set func(*Relate)) string {
	w.Helper()
	r := Relate{From: "people:" + from, Kind: kind, To: "firms:" + to}
	if from[0] == 'f' {
		r.From = "firms:" + from
	}
	if to[0] == 'p' {
		r.To = "people:" + to
	}
	if set != nil {
		set(&r)
	}
	return w.decision(w.app.Relate(w.Context(), r, ann))
}

func TestPeopleStateRelations(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w := relatedWorld(t, dsn, 2, 2)
		job := w.relate("p0", "employment", "f0", func(r *Relate) { r.Title, r.Since = "Head of Purchasing", "2025-01-01" })
		same, err := w.app.Relate(t.Context(), Relate{From: "people:p0", Kind: Employer, To: "firms:f0", Title: "Head of Purchasing", Since: "2025-01-01"}, ann)
		if err != nil || !same.Existing || same.Decision != job {
			t.Errorf("the same again: %+v, %v; want %s", same, err, job)
		}
		var against *store.Contradiction
		other := Relate{From: "people:p0", Kind: Employer, To: "firms:f0", Title: "Director"}
		if _, err := w.app.Relate(t.Context(), other, ann); !errors.As(err, &against) || against.Earlier[0].ID != job {
			t.Errorf("another title for the same time: %v, want %s named", err, job)
		}
		earlier := other
		earlier.Until = "2024-12-31"
		w.decision(w.app.Relate(t.Context(), earlier, ann))
		w.relate("p0", "role", "f0", func(r *Relate) { r.Role = "decider" })
		w.relate("p0", "role", "f0", func(r *Relate) { r.Role = "buyer" })
		w.relate("p0", "stance", "f0", func(r *Relate) { r.Stance = "opponent" })
		w.relate("p1", "reports_to", "p0", nil)
		want := "p0 employer f0 Head of Purchasing; p0 employer f0 Director (over); p0 role f0 buyer; p0 role f0 decider; p0 stance f0 opponent"
		if got := w.edges("firms:f0", ""); got != want {
			t.Errorf("relations of the firm\n%s, want\n%s", got, want)
		}
		if got, want := w.edges("firms:f0", "2024-06-01"), "p0 employer f0 Director; p0 employer f0 Head of Purchasing (over)"; !strings.HasPrefix(got, want) {
			t.Errorf("as of 2024\n%s, want\n%s", got, want)
		}
		by := ann
		by.Over = true
		w.decision(w.app.Relate(t.Context(), other, by)) // takes the place of both
		if got := w.edges("firms:f0", ""); !strings.HasPrefix(got, "p0 employer f0 Director; p0 role") {
			t.Errorf("after it was said over the others: %s", got)
		}
		list, _, err := w.app.StatedRelations(t.Context(), 0, 100)
		if err != nil || len(list) != 5 {
			t.Errorf("%d statements in force, %v; want 5", len(list), err)
		}
		end, err := w.app.EndRelation(t.Context(), list[len(list)-1].Decision, "2026-02-01", ann)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.edges("firms:f0", ""); !strings.HasPrefix(got, "p0 employer f0 Director (over)") {
			t.Errorf("after its end: %s", got)
		}
		w.decision(w.app.Undo(t.Context(), end.Decision, ann))
		if got := w.edges("firms:f0", ""); !strings.HasPrefix(got, "p0 employer f0 Director; ") {
			t.Errorf("after the end was taken back: %s", got)
		}
		w.verify()
		w.carried()
	})
}

// carried exports what was decided and takes it into another store, where the
// records have landed.
func (w *world) carried() {
	w.Helper()
	var file bytes.Buffer
	if _, err := w.app.ExportRulings(w.Context(), &file); err != nil {
		w.Fatal(err)
	}
	there := relatedWorld(w.T, "", 2, 2)
	rep, err := there.app.ImportRulings(w.Context(), &file)
	if err != nil || len(rep.Refused) > 0 {
		w.Fatalf("imported %+v, %v", rep, err)
	}
	if diff := cmp.Diff(w.edges("firms:f0", ""), there.edges("firms:f0", "")); diff != "" {
		w.Errorf("in another store (-here +there):\n%s", diff)
	}
}

func TestStatementsThatSayNothingSensible(t *testing.T) {
	w := relatedWorld(t, "", 2, 2)
	for _, tt := range []struct {
		r    Relate
		want string
	}{
		{Relate{From: "people:p0", Kind: "friend", To: "people:p1"}, "no kind of relation"},
		{Relate{From: "firms:f0", Kind: Employer, To: "people:p0"}, "leads from a person"},
		{Relate{From: "people:p0", Kind: Employer, To: "people:p1"}, "leads to a company"},
		{Relate{From: "people:p0", Kind: BuyingRole, To: "firms:f0", Role: "boss"}, "a role is one of"},
		{Relate{From: "people:p0", Kind: Stance, To: "firms:f0", Stance: ""}, "a stance is one of"},
		{Relate{From: "people:p0", Kind: Stance, To: "firms:f0", Stance: "neutral", Share: "3"}, "has no share"},
		{Relate{From: "firms:f0", Kind: Parent, To: "firms:f1", Share: "101"}, "from 0 to 100"},
		{Relate{From: "firms:f0", Kind: Parent, To: "firms:f1", Share: "1/2"}, "from 0 to 100"},
		{Relate{From: "firms:f0", Kind: Parent, To: "firms:f1", Since: "yesterday"}, "since is a date"},
		{Relate{From: "firms:f0", Kind: Parent, To: "firms:f1", Since: "2026-01-02", Until: "2026-01-01"}, "before it begins"},
		{Relate{From: "firms:f0", Kind: Partner, To: "firms:f0"}, "one customer"},
		{Relate{From: "firms:f0", Kind: Partner, To: "firms:f9"}, "not found"},
		{Relate{From: "firms:f0", Kind: Partner, To: "firms:f1", Title: strings.Repeat("长", 201)}, "longer than 200"},
	} {
		if _, err := w.app.Relate(t.Context(), tt.r, ann); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v, want %q in it", tt.r, err, tt.want)
		}
	}
	if list, _, err := w.app.StatedRelations(t.Context(), 0, 10); err != nil || len(list) != 0 {
		t.Errorf("refused statements are kept: %+v, %v", list, err)
	}
}

// TestRelationsSurviveMergesAndSplits plays random merges, splits and undos: at
// each step each statement stands between the golden records that hold its two
// source records, and no golden id ever shown is dead; when all is taken back
// everything is as it was.
func TestRelationsSurviveMergesAndSplits(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w := relatedWorld(t, "", 6, 6)
			r := rand.New(rand.NewPCG(seed, 15))
			firm, person := func() string { return fmt.Sprintf("f%d", r.IntN(6)) }, func() string { return fmt.Sprintf("p%d", r.IntN(6)) }
			stated := map[string][2]string{}
			for len(stated) < 12 {
				from, kind, to, set := person(), Employer, firm(), func(x *Relate) { x.Title = "clerk" }
				if len(stated)%3 == 0 {
					from, kind, to, set = firm(), Partner, firm(), nil
				}
				if from != to {
					stated[w.relate(from, kind, to, set)] = [2]string{from, to}
				}
			}
			before, ids := w.stated(), map[string]bool{}
			var undo []string
			for range 12 {
				x, y := "firms:"+firm(), "firms:"+firm()
				if r.IntN(2) == 0 {
					x, y = "people:"+person(), "people:"+person()
				}
				by := ann
				by.Over = r.IntN(2) == 0
				decide := func() (Decided, error) { return w.app.Merge(t.Context(), x, y, by) }
				if r.IntN(3) == 0 {
					decide = func() (Decided, error) { return w.app.Split(t.Context(), []string{x}, y, by) }
				}
				d, err := decide()
				if err == nil && !d.Existing {
					undo = append(undo, d.Decision)
				}
				w.plan()
				w.stands(stated, ids)
			}
			w.verify()
			for _, id := range slices.Backward(undo) {
				w.decision(w.app.Undo(t.Context(), id, ann))
			}
			w.plan()
			w.stands(stated, ids)
			if diff := cmp.Diff(before, w.stated()); diff != "" || len(undo) == 0 {
				t.Errorf("after %d decisions and their undo (-before +after):\n%s", len(undo), diff)
			}
		})
	}
}

// stated lists the statements with the golden ids of their ends.
func (w *world) stated() (out []string) {
	w.Helper()
	list, _, err := w.app.StatedRelations(w.Context(), 0, 1000)
	if err != nil {
		w.Fatal(err)
	}
	for _, r := range list {
		out = append(out, r.Decision+" "+r.A.ID+" "+r.Kind+" "+r.B.ID)
	}
	return out
}

// stands holds each statement against where its source records live, from both
// ends, and asks for every id that was ever shown.
func (w *world) stands(stated map[string][2]string, ids map[string]bool) {
	w.Helper()
	ref := func(id string) string { return map[byte]string{'f': "firms:", 'p': "people:"}[id[0]] + id }
	for d, ends := range stated {
		a, b := w.golden(ref(ends[0])).ID, w.golden(ref(ends[1])).ID
		ids[a], ids[b] = true, true
		for _, end := range ends {
			list, _, err := w.app.RelationsOf(w.Context(), ref(end), "")
			if err != nil {
				w.Fatal(err)
			}
			i := slices.IndexFunc(list, func(r Relation) bool { return r.Decision == d })
			switch {
			case a == b && i >= 0:
				w.Errorf("%s is shown from a customer to itself", d)
			case a != b && (i < 0 || list[i].A.ID != a || list[i].B.ID != b):
				w.Errorf("%s between %s and %s is not seen from %s: %+v", d, a, b, end, list)
			}
		}
	}
	for id := range ids {
		if _, err := w.app.Golden(w.Context(), id); err != nil {
			w.Errorf("golden id %s is dead: %v", id, err)
		}
	}
}

// TestUnpinBringsNoOlderPinBack: a pin over a pin, and then none.
func TestUnpinBringsNoOlderPinBack(t *testing.T) {
	w := relatedWorld(t, "", 1, 0)
	over := ann
	over.Over = true
	pin := func(value string) string {
		return w.decision(w.app.Pin(t.Context(), PinRequest{Golden: "firms:f0", Field: "industry", Value: value}, over))
	}
	pin("tools")
	pin("bakery")
	third := pin("paper")
	w.plan()
	w.wantValue("firms/company/f0", "industry", "paper")
	w.wantStates("pin withdrawn", "pin withdrawn", "pin in force")
	unpin := w.decision(w.app.Unpin(t.Context(), "firms:f0", "industry", ann))
	w.plan()
	w.wantValue("firms/company/f0", "industry", "")
	w.wantStates("pin withdrawn", "pin withdrawn", "pin withdrawn", "unpin in force")
	w.decision(w.app.Undo(t.Context(), unpin, ann))
	w.wantStates("pin withdrawn", "pin withdrawn", "pin in force", "unpin undone", "undo in force")
	w.decision(w.app.Undo(t.Context(), third, ann))
	w.plan()
	w.wantValue("firms/company/f0", "industry", "bakery")
}
