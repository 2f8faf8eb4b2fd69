package matching_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	"touchstone/internal/record"
	"touchstone/matching"
	"touchstone/matching/block"
)

// checkSome holds that keys made for some rules are those of all keys.
func checkSome(t *testing.T, f *matching.Features) {
	t.Helper()
	all := f.AppendKeys(nil)
	before := matching.KeyHash{Coarse: 7, Fine: 7}
	masks := []block.RuleSet{block.AllRules, 0, 1<<block.Name | 1<<block.Street, 1<<block.Address | 1<<block.Email | 1<<block.IDHead}
	if len(all) > 0 {
		r := all[all[0].Coarse%uint64(len(all))].Rule
		masks = append(masks, block.SetOf(r), block.AllRules&^block.SetOf(r))
	}
	for _, wanted := range masks {
		for _, fine := range []bool{true, false} {
			got := f.AppendSomeKeys([]matching.KeyHash{before}, wanted, fine)
			if len(got) == 0 || got[0] != before {
				t.Fatalf("AppendSomeKeys(%b, %v) = %v, want what stood before first", wanted, fine, got)
			}
			if got, want := plain(got[1:], fine), plain(chosen(all, wanted), fine); !slices.Equal(got, want) {
				t.Fatalf("AppendSomeKeys(%b, %v) gives %v, all keys of these rules are %v", wanted, fine, got, want)
			}
		}
	}
}

func chosen(all []matching.KeyHash, wanted block.RuleSet) (out []matching.KeyHash) {
	for _, k := range all {
		if wanted.Has(k.Rule) {
			out = append(out, k)
		}
	}
	return out
}

// plain sorts keys and drops repeats; without fine it only counts whether there is
// one.
func plain(keys []matching.KeyHash, fine bool) []matching.KeyHash {
	keys = slices.Clone(keys)
	for i := range keys {
		if !fine {
			keys[i].Fine = min(keys[i].Fine, 1)
		}
	}
	slices.SortFunc(keys, func(a, b matching.KeyHash) int {
		return cmp.Or(cmp.Compare(a.Coarse, b.Coarse), cmp.Compare(a.Fine, b.Fine), cmp.Compare(a.Rule, b.Rule))
	})
	return slices.Compact(keys)
}

// Of an entity type of one's own the keys of what is alike come on top of a record's
// others, of which there may be more than it can have.
func TestKeysOfSomeRulesOfOwnTypes(t *testing.T) {
	shape := matching.ShapeOf(map[string]string{"code": matching.KindCode, "title": matching.KindName})
	for _, n := range []int{0, 1, 8, 9, 20} {
		fields := record.Fields{"title": record.TextValue("compact cordless titanium drill for workshops")}
		var codes []record.Point
		for i := range n {
			codes = append(codes, record.Point{Value: fmt.Sprintf("AB%d-%d", 10+i, 1000+7919*i)})
		}
		if n > 0 {
			fields["code"] = record.ListValue(codes...)
		}
		checkSome(t, matching.StandardiseAs("tool", shape, fields))
	}
}

func TestKeysOfSomeRulesDoNotAllocate(t *testing.T) {
	for _, name := range setNames {
		set := load(t, name)
		features, room := set.features(), make([]matching.KeyHash, 0, 64)
		if n := testing.AllocsPerRun(10, func() {
			for _, f := range features[:100] {
				room = f.AppendSomeKeys(room[:0], block.AllRules, false)
			}
		}); n > 20 { // of 100: Chinese trades with spaces
			t.Errorf("%s: %v allocations for the keys of 100 records, want next to none", name, n)
		}
	}
}
