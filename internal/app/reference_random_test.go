package app

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestReferencesHoldThroughAnything plays random edits, deletions, merges and
// splits on both sides: a contact of the desk refers to nothing or to a live
// company of the desk, and to the one that its golden record works for.
func TestReferencesHoldThroughAnything(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w, crm, desk := linkedWorld(t, "", nil, nil)
			w.opts = Options{Batch: 3}
			w.open()
			p := &play{world: w, crm: crm, desk: desk, r: rand.New(rand.NewPCG(seed, 7))}
			for range 25 {
				p.step()
				if p.r.IntN(2) == 0 {
					w.clean()
				}
			}
			w.clean()
			w.clean()
			p.check()
			w.end()
		})
	}
}

type play struct {
	*world
	crm, desk           *simulated
	r                   *rand.Rand
	companies, contacts []string // ids in the crm
	rulings             []string
	nCompany, nContact  int
}

func (p *play) step() {
	p.Helper()
	some := func(ids []string) string {
		if len(ids) == 0 {
			return ""
		}
		return ids[p.r.IntN(len(ids))]
	}
	switch p.r.IntN(9) {
	case 0, 1:
		p.nCompany++
		word := string(rune('A'+p.nCompany)) + "quila"
		fields := map[string]any{"name": fmt.Sprintf("%s %d Works", word, 1000*p.nCompany), "website": fmt.Sprintf("works%d.example", p.nCompany)}
		if id := some(p.companies); id != "" && p.r.IntN(2) == 0 {
			fields["parent_id"] = id
		}
		p.companies = append(p.companies, p.crm.set("companies", "", fields))
	case 2, 3:
		p.nContact++
		fields := map[string]any{"name": fmt.Sprintf("Person Number%c", 'a'+p.nContact), "email": fmt.Sprintf("p%d@example.com", p.nContact)}
		if id := some(p.companies); id != "" {
			fields["company_id"] = id
		}
		p.contacts = append(p.contacts, p.crm.set("contacts", "", fields))
	case 4:
		if id := some(p.contacts); id != "" {
			p.crm.set("contacts", id, map[string]any{"company_id": some(p.companies)})
		}
	case 5:
		if id, parent := some(p.companies), some(p.companies); id != parent {
			p.crm.set("companies", id, map[string]any{"parent_id": parent})
		}
	case 6:
		if list := p.desk.all("companies"); len(list) > 0 {
			p.desk.remove(fmt.Sprint(list[p.r.IntN(len(list))]["id"]))
		}
	case 7:
		w := p.world
		w.clean()
		if a, b := some(p.companies), some(p.companies); a != b {
			p.rulings = append(p.rulings, w.rule("must", "crm/company/"+a, "crm/company/"+b))
		}
	default:
		if len(p.rulings) > 0 {
			if err := p.app.Store.Withdraw(p.Context(), p.rulings[len(p.rulings)-1], "steward"); err != nil {
				p.Fatal(err)
			}
			p.rulings = p.rulings[:len(p.rulings)-1]
		}
	}
}

// check holds what the desk says against what the crm says.
func (p *play) check() {
	p.Helper()
	live := map[any]bool{}
	for _, c := range p.desk.all("companies") {
		live[c["id"]] = true
	}
	for _, c := range p.desk.all("companies") {
		if id := c["parent_id"]; id != nil && !live[id] {
			p.Errorf("company %v of the desk has the parent %v, which is not there", c["id"], id)
		}
	}
	there := p.desk.held("contacts")
	for name, c := range p.crm.held("contacts") {
		at := there[name]["company_id"]
		if at != nil && !live[at] {
			p.Errorf("contact %q of the desk works for %v, which is not there", name, at)
		}
		employer, _ := c["company_id"].(string)
		if employer == "" {
			if at != nil {
				p.Errorf("contact %q works for nobody, and for %v at the desk", name, at)
			}
			continue
		}
		company := p.golden("crm/company/" + employer)
		has := slices.ContainsFunc(company.Members, func(m ShownMember) bool { return m.Live && strings.HasPrefix(m.Ref, "desk/") })
		if has != (at != nil) {
			p.Errorf("contact %q works for %s, whose company is at the desk: %v; there it works for %v", name, employer, has, at)
		}
		if at == nil {
			continue
		}
		want, got := company.ID, p.golden(fmt.Sprintf("desk/company/%v", at)).ID
		if want != got {
			p.Errorf("contact %q works for golden record %s, and for %s at the desk", name, want, got)
		}
	}
}
