package matching

import "testing"

// recall is the share of the pairs that keys find, by the lists as they are, and
// how many pairs they find for each record.
func (d dirty) recall(keep func(rule string) bool) (found, pairs float64) {
	lists := map[uint64]map[int]bool{}
	all := make([][]Key, len(d.features))
	for i, f := range d.features {
		for _, k := range f.Keys() {
			if !keep(k.Rule) {
				continue
			}
			all[i] = append(all[i], k)
			for _, h := range [2]uint64{k.Coarse, k.Fine} {
				if lists[h] == nil {
					lists[h] = map[int]bool{}
				}
				lists[h][i] = true
			}
		}
	}
	seen := map[[2]int]bool{}
	for i := range all {
		for _, k := range all[i] {
			h := k.Coarse
			if len(lists[h]) > KeyCap {
				h = k.Fine
			}
			if h == 0 || len(lists[h]) > KeyCap {
				continue
			}
			for j := range lists[h] {
				seen[[2]int{min(i, j), max(i, j)}] = true
			}
		}
	}
	hit, of := 0, 0
	for i := 1; i < len(d.product); i++ {
		if d.product[i] == d.product[i-1] {
			of++
			if seen[[2]int{i - 1, i}] {
				hit++
			}
		}
	}
	return float64(hit) / float64(of), float64(len(seen)-len(d.features)) / float64(len(d.features))
}

// Of things whose every other word has a slip, words and halves of the name find
// nine in ten; keys of what is written alike find nearly all.
func TestAlikeKeysFindWhatIsMisspelt(t *testing.T) {
	for _, tt := range []struct {
		slips, without, with, pairs float64
	}{
		{0, 1, 1, 150},
		{0.6, 0.93, 0.98, 150},
		{0.9, 0.70, 0.95, 150},
	} {
		d := dirtyProducts(4000, tt.slips)
		without, before := d.recall(func(r string) bool { return r != "alike" })
		with, after := d.recall(func(string) bool { return true })
		t.Logf("slips in %.0f %% of the words: recall %.4f of %.0f pairs a record, without %.4f of %.0f", 100*tt.slips, with, after, without, before)
		if without > tt.without || with < tt.with || after > tt.pairs {
			t.Errorf("slips %v: recall %.4f with keys of what is alike and %.4f without, %.0f pairs a record; want at least %v, at most %v, and at most %v pairs", tt.slips, with, without, after, tt.with, tt.without, tt.pairs)
		}
	}
}

func TestAlikeKeysOfShortAndChineseTexts(t *testing.T) {
	of := func(title string) (n int) {
		for _, k := range vehicle(map[string]string{"model": title}).Keys() {
			if k.Rule == "alike" {
				n++
			}
		}
		return n
	}
	for _, tt := range []struct {
		title string
		want  int
	}{
		{"golf", 0},
		{"golf gt", alikeBands},
		{"运输", 0},
		{"厢式运输车", alikeBands},
	} {
		if got := of(tt.title); got != tt.want {
			t.Errorf("%q has %d keys of what is alike, want %d", tt.title, got, tt.want)
		}
	}
	a, b := vehicle(map[string]string{"model": "大型冷藏厢式运输车"}), vehicle(map[string]string{"model": "大冷型藏厢式运输车"})
	found := false
	for _, k := range vehicleModel(t).SharedKeys(a, b) {
		found = found || k.Rule == "alike"
	}
	if !found {
		t.Errorf("no key of what is alike is shared: %v and %v", a.Keys(), b.Keys())
	}
}
