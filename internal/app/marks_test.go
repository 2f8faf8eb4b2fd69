package app

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"touchstone/internal/auth"
	"touchstone/internal/web"
)

// TestMarksReachWhoDecides: a check digit that does not fit is told beside the
// value of the pair, of the customer and of its field, and by why; and to nobody
// whose mask keeps the value back.
func TestMarksReachWhoDecides(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, _, _ := two(t, dsn,
			[]string{`{"id":"c1","updated_at":"2026-01-02T00:00:00Z","name":"Kestrel Valley Optics Ltd","lei":"213800WSGIIZCXF1P573","street":"18 Kestrel Road","city":"Leeds","postcode":"LS2 4AP","country":"GB"}`},
			[]string{`{"id":"o1","updated_at":"2026-01-03T00:00:00Z","name":"Kestxel Valley Optics","phone":"at the office","street":"18 Kesxrel Road","city":"Leeds","postcode":"LS2 4AP","country":"GB"}`})
		w.yaml = strings.ReplaceAll(w.yaml, "          name: 'record.name'", "          name: 'record.name'\n          id: {scheme: '\"lei\"', value: 'record.lei'}")
		w.yaml = "access: {masks: {numbers: {fields: {ids: partial, phones: hide}}}}\n" + w.yaml
		w.open()
		w.clean()
		masked := auth.With(t.Context(), auth.Actor{ID: "lin", Role: auth.Steward, Masks: []string{"numbers"}})
		lei := web.Mark{Text: "check digit wrong", Wants: "72", Has: "73"}
		phone := web.Mark{Text: "not a phone number"}

		x, err := w.app.Why(t.Context(), "crm:c1", "desk:o1")
		if err != nil {
			t.Fatal(err)
		}
		marks := map[string][]web.Mark{}
		for _, m := range x.Marks {
			marks[m.Record+" "+m.Field] = append(marks[m.Record+" "+m.Field], web.Mark{Entry: m.Entry, Text: m.Mark, Wants: m.Wants, Has: m.Has})
		}
		if diff := cmp.Diff(map[string][]web.Mark{x.Pair.A + " ids": {lei}, x.Pair.B + " phones": {phone}}, marks); diff != "" {
			t.Errorf("marks of why (-want +got):\n%s", diff)
		}
		b, err := json.Marshal(x)
		if want := `"field":"ids","entry":0,"mark":"check digit wrong","wants":"72","has":"73"`; err != nil || !strings.Contains(string(b), want) {
			t.Errorf("the answer %s (%v) does not have %s", b, err, want)
		}
		for lang, want := range map[string]string{"en": "ids: the check digit does not fit, 72 was expected and 73 stands there.", "zh": "的证件号码：校验位不符，应为 72，实为 73。"} {
			if said := strings.Join(x.Sentences(lang), " "); !strings.Contains(said, want) {
				t.Errorf("why says %q, want %q in it", said, want)
			}
		}
		if x, err := w.app.Why(masked, "crm:c1", "desk:o1"); err != nil || len(x.Marks) > 0 {
			t.Errorf("who does not see the numbers is told %+v (%v)", x.Marks, err)
		}

		ids := w.waiting()
		if len(ids) != 1 {
			t.Fatalf("%d pairs wait, want 1", len(ids))
		}
		d, err := w.app.Desk(t.Context(), ids[0])
		if err != nil {
			t.Fatal(err)
		}
		got := map[string][]web.Mark{}
		for _, r := range d.Rows {
			if len(r.MarksA)+len(r.MarksB) > 0 {
				got[r.Name] = slices.Concat(r.MarksA, r.MarksB)
			}
		}
		if diff := cmp.Diff(map[string][]web.Mark{"ids": {lei}, "phones": {phone}}, got); diff != "" {
			t.Errorf("marks of the pair (-want +got):\n%s", diff)
		}
		c, err := w.app.Customer(t.Context(), "crm:c1")
		if err != nil {
			t.Fatal(err)
		}
		if i := slices.IndexFunc(c.Fields, func(f web.GoldenField) bool { return f.Name == "ids" }); i < 0 || !slices.Equal(c.Fields[i].Marks, []web.Mark{lei}) {
			t.Errorf("the customer's numbers are not marked: %+v", c.Fields)
		}
		if f, err := w.app.CustomerField(t.Context(), "desk:o1", "phones"); err != nil || !slices.Equal(f.Field.Marks, []web.Mark{phone}) {
			t.Errorf("the field's marks are %+v (%v), want %+v", f.Field.Marks, err, phone)
		}
		d, err = w.app.Desk(masked, ids[0])
		for _, r := range d.Rows {
			if len(r.MarksA)+len(r.MarksB) > 0 || err != nil {
				t.Errorf("who does not see the numbers is told %+v %+v of %s (%v)", r.MarksA, r.MarksB, r.Name, err)
			}
		}
	})
}

// TestWhyTellsEachMarkOnce: also of two records that are of one customer, where
// both have a mark.
func TestWhyTellsEachMarkOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, _, _ := two(t, dsn, []string{acme("c1", "2", `,"phone":"at the office"`)}, []string{acme("o1", "1", `,"phone":"at the works"`)})
		w.open()
		w.clean()
		for _, pair := range [][2]string{{"crm:c1", "desk:o1"}, {"desk:o1", "crm:c1"}} {
			x, err := w.app.Why(t.Context(), pair[0], pair[1])
			if err != nil || !x.Same {
				t.Fatalf("why %s: %+v, %v; want one customer", pair, x, err)
			}
			want := []ShownMark{
				{Record: x.Pair.A, Field: "phones", Mark: "not a phone number"},
				{Record: x.Pair.B, Field: "phones", Mark: "not a phone number"},
			}
			if diff := cmp.Diff(want, x.Marks); diff != "" {
				t.Errorf("marks of why %s (-want +got):\n%s", pair, diff)
			}
		}
	})
}

func TestEveryMarkHasASentence(t *testing.T) {
	for text := range markTexts {
		for _, lang := range []string{"en", "zh"} {
			m := ShownMark{Record: "crm:c1", Field: "birth_date", Entry: 1, Mark: text}
			if said := m.Sentence(lang); !strings.Contains(said, "2: ") && !strings.Contains(said, "2：") || strings.Contains(said, "birth_date") {
				t.Errorf("%s is said as %q", text, said)
			}
		}
	}
}
