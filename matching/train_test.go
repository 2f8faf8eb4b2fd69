package matching_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"touchstone/internal/record"
	"touchstone/matching"
	"touchstone/matching/live"
)

func packedOf(set labelled, n int) [][]byte {
	var packed [][]byte
	for _, f := range set.features() {
		packed = append(packed, f.AppendBinary(nil))
	}
	for i := 0; len(packed) < n; i++ {
		packed = append(packed, packed[i])
	}
	return packed
}

func never(uint64) bool { return false }

func goOn() error { return nil }

func fitted(t testing.TB, entity string, packed [][]byte) (*matching.Model, *matching.Figures) {
	t.Helper()
	trainer, share, err := matching.Gather(model(t, entity), packed, never, goOn)
	if err != nil {
		t.Fatal(err)
	}
	m, figures, err := trainer.Fit(share)
	if err != nil {
		t.Fatal(err)
	}
	return m, figures
}

func TestFittedModelsHoldTheirFloors(t *testing.T) {
	sets := []labelled{load(t, "company_mixed_2k"), load(t, "person_zh_2k")}
	for dir := range strings.SplitSeq(os.Getenv("TOUCHSTONE_SETS"), ":") {
		if dir != "" {
			sets = append(sets, loadFiles(t, filepath.Base(dir), filepath.Join(dir, "records.csv"), filepath.Join(dir, "truth.csv")))
		}
	}
	for _, set := range sets {
		m, figures := fitted(t, set.entity, packedOf(set, matching.LeastRecords))
		r := live.New(live.Config{Model: m, Link: m.Threshold(0.95)})
		for i, f := range set.features() {
			r.Upsert(set.refs[i], f)
		}
		s, start := scored(set, r.Partition()), scored(set, resolved(t, set))
		t.Logf("%-24s fitted P %.4f  R %.4f  F1 %.4f; start F1 %.4f; %.0f matches", set.name, s.precision, s.recall, s.f1, start.f1, figures.Matches)
		if s.f1 < start.f1 || s.precision < 0.965 {
			t.Errorf("%s: the fitted model has F1 %.4f and precision %.4f; want the start model's %.4f and 0.965 at least", set.name, s.f1, s.precision, start.f1)
		}
		if figures.Records != len(packedOf(set, matching.LeastRecords)) || figures.Pairs == 0 || figures.Random == 0 || !figures.Converged {
			t.Errorf("%s: %d records, %d pairs, %d random pairs, converged %v", set.name, figures.Records, figures.Pairs, figures.Random, figures.Converged)
		}
	}
}

// TestSameDataSameModel: in whatever order the records come.
func TestSameDataSameModel(t *testing.T) {
	set := load(t, "person_zh_2k")
	r := rand.New(rand.NewPCG(4, 2))
	var want []byte
	for range 3 {
		packed := packedOf(set, matching.LeastRecords)
		r.Shuffle(len(packed), func(i, j int) { packed[i], packed[j] = packed[j], packed[i] })
		m, figures := fitted(t, set.entity, packed)
		b, err := json.Marshal(struct {
			M *matching.Model
			F *matching.Figures
		}{m, figures})
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = b
		}
		if !bytes.Equal(b, want) {
			t.Fatalf("another order gives another model:\n%.400s\n%.400s", want, b)
		}
		if !strings.HasPrefix(m.Version, "fit-") || len(figures.Fields) != 10 {
			t.Errorf("version %s with %d fields, want fit-… with 10", m.Version, len(figures.Fields))
		}
	}
}

func TestTooFewRecordsAreRefused(t *testing.T) {
	set := load(t, "fake_1000")
	for _, n := range []int{0, 1, 1000} {
		trainer, share, err := matching.Gather(model(t, set.entity), packedOf(set, 0)[:n], never, goOn)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err = trainer.Fit(share); !errors.Is(err, matching.ErrTooFew) {
			t.Errorf("%d records: %v, want ErrTooFew", n, err)
		}
	}
	stopped := errors.New("stopped")
	if _, _, err := matching.Gather(model(t, set.entity), packedOf(set, 0), never, func() error { return stopped }); !errors.Is(err, stopped) {
		t.Errorf("a gathering that is stopped ends with %v", err)
	}
}

// TestCommonNamesWeighLess: two of a common family name weigh less than two of a
// rare one; a name in no table weighs as the rarest, and more; the parts still
// sum to the whole, also of a model that was written and read again.
func TestCommonNamesWeighLess(t *testing.T) {
	set := load(t, "person_zh_2k")
	fittedModel, _ := fitted(t, set.entity, packedOf(set, matching.LeastRecords))
	b, err := json.Marshal(fittedModel)
	if err != nil {
		t.Fatal(err)
	}
	m, err := matching.DecodeModel(b)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := json.Marshal(m); !bytes.Equal(again, b) {
		t.Errorf("%.300s\nafter reading: %.300s", b, again)
	}
	weight := func(family string) int32 {
		f := matching.Standardise(record.Person, record.Fields{"family_name": record.TextValue(family)})
		checkPair(t, m, f, f)
		return m.Weigh(f, f).Total
	}
	common, rare, unknown := weight("王"), weight("令狐"), weight("Zzyzx")
	if common >= rare || unknown < rare {
		t.Errorf("王 weighs %d, 令狐 %d, a name nobody has %d: want them rising", common, rare, unknown)
	}
	features := set.features()
	for i := range features[:200] {
		checkPair(t, m, features[i], features[(i*7)%len(features)])
		checkPair(t, m, features[i], features[i])
	}
}

// TestModelsOfAnOlderCatalogue: a level that a model does not know weighs as the
// next, of which it was part; nothing is shared where the model does not say so.
func TestModelsOfAnOlderCatalogue(t *testing.T) {
	b, err := json.Marshal(model(t, record.Person))
	if err != nil {
		t.Fatal(err)
	}
	old := strings.NewReplacer(`,{"name":"same district","weight":2500}`, "", `"shared_names":5,"key_cap":100,`, "").Replace(string(b))
	m, err := matching.DecodeModel([]byte(old))
	if err != nil {
		t.Fatal(err)
	}
	if m.SharedNames != 0 || m.KeyCap != matching.KeyCap {
		t.Errorf("line of shared values %d and cap %d, want 0 and %d", m.SharedNames, m.KeyCap, matching.KeyCap)
	}
	place := func(line string) *matching.Features {
		return matching.Standardise(record.Person, fieldsOf(record.Person, row("street", line, []string{"city", "杭州"})))
	}
	a, c := place("西湖区文三路1号"), place("西湖区")
	for _, tt := range []struct {
		name string
		m    *matching.Model
		want int32
	}{{"now", model(t, record.Person), 2500}, {"older", m, 2000}} {
		parts := tt.m.Explain(a, c)
		if got := parts[len(parts)-1]; got.Level != "same district" || got.Weight != tt.want {
			t.Errorf("%s: %+v, want same district with %d", tt.name, got, tt.want)
		}
	}
	if _, err := matching.DecodeModel([]byte(strings.Replace(old, `,{"name":"different","weight":-2000}`, "", 1))); err == nil {
		t.Error("a model without its last level is taken")
	}
}

// TestSharedValuesWeighLittle: what many names use is taken at its own level, on
// whichever side it is marked.
func TestSharedValuesWeighLittle(t *testing.T) {
	for _, tt := range []struct {
		entity, field string
		f             record.Fields
	}{
		{record.Company, "phones", fieldsOf(record.Company, row("name", "Acme", []string{"phone", "+44 20 7946 0001"}))},
		{record.Company, "web", fieldsOf(record.Company, row("name", "Acme", []string{"email", "info@acme.com"}))},
		{record.Company, "web", fieldsOf(record.Company, row("name", "Acme", []string{"website", "acme.com"}))},
		{record.Company, "web", fieldsOf(record.Company, row("name", "Acme", []string{"email", "agent@gmail.com"}))},
		{record.Company, "addresses", fieldsOf(record.Company, row("name", "Acme", []string{"street", "12 Oak St", "city", "Boston"}))},
		{record.Person, "phones", fieldsOf(record.Person, row("last_name", "Li", []string{"phone", "+44 20 7946 0001"}))},
		{record.Person, "emails", fieldsOf(record.Person, row("last_name", "Li", []string{"email", "info@acme.com"}))},
		{record.Person, "addresses", fieldsOf(record.Person, row("last_name", "Li", []string{"street", "12 Oak St", "city", "Boston"}))},
	} {
		m := model(t, tt.entity)
		f := matching.Standardise(tt.entity, tt.f)
		shared := f.Share(func(uint64) bool { return true })
		level := func(a, b *matching.Features) string {
			checkPair(t, m, a, b)
			for _, p := range m.Explain(a, b) {
				if p.Field == tt.field {
					return p.Level
				}
			}
			return "missing"
		}
		if before, after := level(f, f), level(shared, shared); !strings.HasPrefix(before, "same") || before == "same, shared" || after != "same, shared" {
			t.Errorf("%s %s: %q, and shared %q", tt.entity, tt.field, before, after)
		}
		if back := level(shared.Share(never), shared.Share(never)); back == "same, shared" {
			t.Errorf("%s %s: still %q when nothing is shared", tt.entity, tt.field, back)
		}
		named := 0
		for _, k := range f.Keys() {
			if kind, text := matching.SharedText(f, k.Coarse); kind == "" || text == "" {
				t.Errorf("%s: the key %s %q has no text for people", tt.field, k.Rule, k.Text)
			} else {
				named++
			}
		}
		if named == 0 {
			t.Errorf("%s %s: no keys", tt.entity, tt.field)
		}
	}
}
