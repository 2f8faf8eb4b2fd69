package app

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"touchstone/internal/record"
	"touchstone/matching"
)

// unit is one legal entity, or a branch of one, in a made-up world of groups.
type unit struct {
	group   int
	company int // within the group; a branch has that of its head
	branch  bool
	number  string
}

// groupWorld makes groups of a holding, its companies and their branches, half
// of them Chinese: each company has a number of its own, and they have the
// domain or the address of the holding. Some are there twice. It gives the
// records and whose each is.
func groupWorld(t *testing.T, r *rand.Rand, groups int) (raws []record.Raw, of map[string]int, firms []unit) {
	t.Helper()
	heads := strings.Fields("Acu Bri Cor Del Ever Flex Gen Hel Inno Jet Kor Lum Max Nov Omni Pro Quan Ret Syn Tri")
	tails := strings.Fields("bar con dun fer gal hus jor kel lan mor nix pol rus sim tor vex wan yor zam bek")
	signs := []rune("华润中信达盛恒通瑞丰金鑫宏伟美佳联创新科德明海天龙腾飞翔远正阳光辉宝利康泰安顺吉祥福兴旺昌")
	trades := []string{"Logistics", "Engineering", "Software", "Foods", "Insurance"}
	works := []string{"物流", "软件", "食品", "建材", "医疗器械"}
	towns := []string{"Leeds", "York", "Bristol"}
	cities := []string{"上海", "深圳", "成都"}
	of = map[string]int{}
	put := func(f unit, fields map[string]string) {
		firms = append(firms, f)
		for range 1 + r.IntN(2) {
			id := fmt.Sprintf("r%05d", len(raws))
			of[id] = len(firms) - 1
			o := map[string]string{"id": id}
			for k, v := range fields {
				o[k] = v
			}
			if len(raws) > 0 && r.IntN(3) == 0 { // an entry made in a hurry
				o["name"] = strings.ToUpper(o["name"])
			}
			b, err := json.Marshal(o)
			if err != nil {
				t.Fatal(err)
			}
			raws = append(raws, record.Raw{Entity: record.Company, Data: b})
		}
	}
	for g := range groups {
		chinese := g%2 == 0
		brand, holding, form := heads[r.IntN(len(heads))]+tails[r.IntN(len(tails))]+tails[r.IntN(len(tails))], " Holdings Ltd", " Ltd"
		domain := fmt.Sprintf("g%d.example", g)
		number := func() string { return fmt.Sprintf("%08d", r.IntN(1e8)) }
		address := map[string]string{"street": fmt.Sprintf("%d %s Street", 1+r.IntN(900), heads[r.IntN(len(heads))]), "city": towns[r.IntN(3)], "postcode": fmt.Sprintf("LS%d 4AP", 1+r.IntN(20)), "country": "GB"}
		if chinese {
			brand, holding, form = string([]rune{signs[r.IntN(len(signs))], signs[r.IntN(len(signs))], signs[r.IntN(len(signs))]}), "集团有限公司", "有限公司"
			address = map[string]string{"street": fmt.Sprintf("%s路%d号", string(signs[r.IntN(len(signs))]), 1+r.IntN(900)), "city": cities[r.IntN(3)], "postcode": fmt.Sprintf("2%05d", r.IntN(1e5)), "country": "CN"}
		}
		at := func(f unit, name string, own bool) {
			fields := map[string]string{"name": name, "registration_no": f.number, "website": domain, "country": address["country"]}
			if !own || r.IntN(2) == 0 {
				for k, v := range address {
					fields[k] = v
				}
				if !own && r.IntN(3) == 0 {
					delete(fields, "website")
				}
			}
			put(f, fields)
		}
		at(unit{group: g, number: number()}, brand+holding, true)
		used := r.Perm(len(trades))
		for c := range 1 + r.IntN(3) {
			company := brand + " " + trades[used[c]] + form
			if chinese {
				company = brand + works[used[c]] + form
			}
			at(unit{group: g, company: c + 1, number: number()}, company, false)
			for b := range r.IntN(3) {
				name := fmt.Sprintf("%s, %s Branch", company, towns[b])
				if chinese {
					name = company + cities[b] + "分公司"
				}
				put(unit{group: g, company: c + 1, branch: true}, map[string]string{"name": name, "website": domain, "country": address["country"]})
			}
		}
	}
	return raws, of, firms
}

// TestGroupsAreTreesAndNeverOneCustomer: on a world of holdings, companies with
// numbers of their own and branches, no golden record holds two numbers, and
// what is proposed instead is right. TOUCHSTONE_GROUPS makes the world larger.
func TestGroupsAreTreesAndNeverOneCustomer(t *testing.T) {
	t.Parallel()
	groups := 150
	if s := os.Getenv("TOUCHSTONE_GROUPS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			t.Fatalf("TOUCHSTONE_GROUPS is %q, want a number", s)
		}
		groups = n
	}
	w := newWorld(t, "")
	w.yaml = pathsYAML
	w.open()
	raws, of, firms := groupWorld(t, rand.New(rand.NewPCG(uint64(groups), 31)), groups)
	w.app.order[0].intakes[0].Puller, w.app.order[1].intakes[0].Puller = &feed{pages: [][]record.Raw{raws}}, &feed{}
	w.plan()
	parts, _ := w.partition()
	numbers, entities := 0, 0
	for _, p := range parts {
		var here []string
		one := of[p[0].ID]
		mixed := false
		for _, ref := range p {
			f := firms[of[ref.ID]]
			mixed = mixed || of[ref.ID] != one
			if f.number != "" && !slices.Contains(here, f.number) {
				here = append(here, f.number)
			}
		}
		if len(here) > 1 {
			numbers++
		}
		if mixed {
			entities++
		}
	}
	list, _, err := w.app.PossibleRelations(t.Context(), RelationQuery{Limit: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	right, linked, kinds := 0, map[int]bool{}, map[string]int{}
	for _, r := range list {
		a, b := of[r.RecordA[len("feed/company/"):]], of[r.RecordB[len("feed/company/"):]]
		kinds[r.Kind]++
		if firms[a].group == firms[b].group && (r.Kind == matching.SameGroup || r.Kind == matching.BranchOf && firms[a].branch && !firms[b].branch && firms[a].company == firms[b].company) {
			right++
			linked[a], linked[b] = true, true
		}
	}
	t.Logf("%d records of %d firms in %d groups: %d golden records, %d of two numbers, %d of two firms; %d proposals %v, %d right; %d firms linked", len(raws), len(firms), groups, len(parts), numbers, entities, len(list), kinds, right, len(linked))
	if numbers > 0 {
		t.Errorf("%d golden records hold two register numbers, want none", numbers)
	}
	if entities*200 > len(parts) {
		t.Errorf("%d of %d golden records hold two firms, want at most one of 200", entities, len(parts))
	}
	if right*100 < len(list)*95 {
		t.Errorf("%d of %d proposals are right, want 95 of 100", right, len(list))
	}
	if len(linked)*100 < len(firms)*95 {
		t.Errorf("%d of %d firms are linked to one of their group, want 95 of 100", len(linked), len(firms))
	}
}
