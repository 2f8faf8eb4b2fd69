package matching

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"touchstone/internal/record"
	"touchstone/matching/block"
)

// choice fits a model of things by their labels and gives what it chose.
func (d dirty) choice(t *testing.T, labels int) (*Model, *KeyFigures) {
	t.Helper()
	start, err := StartModelOf("product", d.shape)
	if err != nil {
		t.Fatal(err)
	}
	var packed [][]byte
	for _, f := range d.features {
		packed = append(packed, f.AppendBinary(nil))
	}
	gathered, share, err := Gather(start, packed, func(uint64) bool { return false }, func() error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	var known []Labelled
	for i := 1; i < len(d.product)-1 && len(known) < 2*labels; i++ {
		if d.product[i] == d.product[i-1] {
			known = append(known, Labelled{A: d.features[i-1], B: d.features[i], Same: true}, Labelled{A: d.features[i], B: d.features[i+1]})
		}
	}
	gathered.Label(known)
	m, figures, err := gathered.Fit(share)
	if err != nil {
		t.Fatal(err)
	}
	return m, figures.Keys
}

// Keys are chosen by labels: of things without slips those of what is alike are
// left out, of badly written ones they are taken, and in both cases fewer pairs
// are made for the same or more matches.
func TestKeysAreChosenByLabels(t *testing.T) {
	for _, tt := range []struct {
		slips float64
		alike bool
	}{
		{0, false},
		{0.9, true},
	} {
		d := dirtyProducts(4000, tt.slips)
		m, fig := d.choice(t, 100)
		if fig == nil || fig.Note != "" || fig.Labelled != 100 || fig.Pairs > fig.Before || fig.Pairs > fig.Budget || len(m.KeyRules()) == 0 {
			t.Fatalf("slips %v: %+v, rules %v", tt.slips, fig, m.KeyRules())
		}
		all, before := d.recall(func(string) bool { return true })
		chosen, after := d.recall(func(rule string) bool { return slices.Contains(m.KeyRules(), rule) })
		t.Logf("slips in %.0f %% of the words: chosen %v: recall %.4f of %.0f pairs a record, all keys %.4f of %.0f; missed %d labels, sure %d", 100*tt.slips, m.KeyRules(), chosen, after, all, before, fig.Missed, fig.Sure)
		if got := slices.Contains(m.KeyRules(), "alike"); got != tt.alike {
			t.Errorf("slips %v: keys of what is alike are chosen %v, want %v", tt.slips, got, tt.alike)
		}
		if chosen < all-0.02 || after > before {
			t.Errorf("slips %v: recall %.4f of %.0f pairs a record with the chosen keys, %.4f of %.0f with all", tt.slips, chosen, after, all, before)
		}
		again, _ := d.choice(t, 100)
		if again.Version != m.Version {
			t.Errorf("slips %v: the same labels give the models %s and %s", tt.slips, m.Version, again.Version)
		}
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		read, err := DecodeModel(b)
		if err != nil || !slices.Equal(read.KeyRules(), m.KeyRules()) {
			t.Errorf("read back: rules %v, were %v (%v)", read.KeyRules(), m.KeyRules(), err)
		}
	}
}

func TestFewLabelsChooseNoKeys(t *testing.T) {
	m, fig := dirtyProducts(2500, 0.3).choice(t, 10)
	if fig == nil || !strings.Contains(fig.Note, "from 30 on") || len(m.KeyRules()) > 0 {
		t.Errorf("ten labels: rules %v, figures %+v; want none, and a word of why", m.KeyRules(), fig)
	}
}

func TestModelsSayWhichKeys(t *testing.T) {
	start, _ := StartModel("company")
	b, err := json.Marshal(start)
	if err != nil {
		t.Fatal(err)
	}
	with := func(keys string) (*Model, error) {
		return DecodeModel([]byte(strings.Replace(string(b), `"entity":"company"`, `"entity":"company","keys":`+keys, 1)))
	}
	m, err := with(`["name","alike"]`)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(m.KeyRules(), " "), "phone email domain name address alike"; got != want {
		t.Errorf("rules %q, want %q: what counts who shares a value is always there", got, want)
	}
	f := companyNamed("Jackson Alvarez Supply LLC", "12345678")
	for rule, want := range map[string]bool{"name": true, "alike": true, "id": false, "name-full": false} {
		if got := slices.ContainsFunc(m.Keys(f), func(k Key) bool { return k.Rule == rule }); got != want {
			t.Errorf("a key by the rule %s: %v, want %v", rule, got, want)
		}
	}
	if got := slices.ContainsFunc(f.Keys(), func(k Key) bool { return k.Rule == "alike" }); got {
		t.Error("companies have keys of what is alike though no model chose so")
	}
	hashes := m.AppendKeys(nil, f)
	for i, k := range m.Keys(f) {
		if hashes[i].Coarse != k.Coarse || hashes[i].Fine != k.Fine {
			t.Errorf("key %d: %v, with its text %v", i, hashes[i], k)
		}
	}
	for _, bad := range []string{`["names"]`, `["name","name"]`} {
		if _, err := with(bad); err == nil || !strings.Contains(err.Error(), "keys") {
			t.Errorf("keys %s: error %v, want a word of the keys", bad, err)
		}
	}
	if s, err := block.NamedSet(nil); err != nil || s != 0 {
		t.Errorf("no names: %v %v", s, err)
	}
}

func companyNamed(name, number string) *Features {
	f := record.Fields{"name": record.TextValue(name)}
	if number != "" {
		f["ids"] = record.ListValue(record.Point{Value: number, Parts: map[string]string{"scheme": "reg"}})
	}
	return Standardise(record.Company, f)
}
