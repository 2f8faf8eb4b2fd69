package app

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"touchstone/internal/record"
	"touchstone/matching"
)

// possible shows possible relations as "kind a b: fields".
func (w *world) possible(q RelationQuery) (out []string) {
	w.Helper()
	if q.Limit == 0 {
		q.Limit = 100
	}
	list, more, err := w.app.PossibleRelations(w.Context(), q)
	if err != nil {
		w.Fatal(err)
	}
	if more {
		out = append(out, "more")
	}
	for _, r := range list {
		var fields []string
		for _, e := range r.Evidence {
			fields = append(fields, e.Field)
		}
		if w.golden(r.RecordA).ID != r.A || w.golden(r.RecordB).ID != r.B || r.A == r.B || r.Apart == "" || r.NameA == "" || r.NameB == "" {
			w.Errorf("%+v does not name two golden records by their members", r)
		}
		out = append(out, fmt.Sprintf("%s %s %s: %s", r.Kind, r.RecordA, r.RecordB, strings.Join(fields, ", ")))
	}
	return out
}

// TestPossibleRelationsFollowTheRecords: a branch, a group, a switchboard and a
// household are proposed and merged by nothing; a value that many use proposes
// nothing, and neither does a record that is gone.
func TestPossibleRelationsFollowTheRecords(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.yaml = strings.ReplaceAll(historiesYAML, "path: none.csv\n    entities:\n      company", "path: firms.jsonl\n    entities:\n      company")
		w.yaml = strings.ReplaceAll(w.yaml, "path: none.csv\n    entities:\n      person", "path: people.jsonl\n    entities:\n      person")
		w.opts.Names = 3
		firms := []string{
			`{"id":"head","name":"北京字节科技有限公司","website":"zj.example.cn"}`,
			`{"id":"branch","name":"北京字节科技有限公司上海分公司","website":"zj.example.cn"}`,
			`{"id":"acme","name":"Acme Tools Ltd","ids":[{"scheme":"reg","value":"07946001"}],"website":"acme.example"}`,
			`{"id":"twin","name":"Acme Tools Ltd","ids":[{"scheme":"reg","value":"51172233"}],"website":"acme.example"}`,
			`{"id":"baker","name":"Zenith Bakery Ltd","phone":"+44 113 496 0001"}`,
			`{"id":"smith","name":"Northern Steel Works","phone":"+44 113 496 0001"}`,
		}
		w.write("firms.jsonl", strings.Join(firms, "\n"))
		w.write("people.jsonl", `{"id":"anna","full_name":"Anna Schmidt","street":"12 Mill Lane","city":"Leeds","postcode":"LS1 4AP","country":"GB"}
{"id":"bernd","full_name":"Bernd Schmidt","street":"12 Mill Lane","city":"Leeds","postcode":"LS1 4AP","country":"GB"}`)
		w.open()
		w.clean()
		branch := "branch_of firms/company/branch firms/company/head: name, web"
		group := "same_group firms/company/acme firms/company/twin: name, web"
		phone := "shares_phone firms/company/baker firms/company/smith: phones"
		home := "household people/person/anna people/person/bernd: family name, addresses"
		expect := func(q RelationQuery, want ...string) {
			t.Helper()
			if diff := cmp.Diff(want, w.possible(q)); diff != "" {
				t.Errorf("possible relations of %+v (-want +got):\n%s", q, diff)
			}
		}
		expect(RelationQuery{}, branch, group, phone, home)
		expect(RelationQuery{Entity: record.Person}, home)
		expect(RelationQuery{Kind: matching.BranchOf}, branch)
		expect(RelationQuery{Golden: "firms/company/head"}, branch)
		expect(RelationQuery{Golden: w.golden("firms/company/twin").ID}, group)
		expect(RelationQuery{Limit: 2}, "more", branch, group)
		// Two more names behind the switchboard, and it says nothing any more; the
		// branch leaves.
		more := append(slices.Delete(slices.Clone(firms), 1, 2), `{"id":"n1","name":"Quiet Rivers Media","phone":"+44 113 496 0001"}`, `{"id":"n2","name":"Old Harbour Foods","phone":"+44 113 496 0001"}`,
			`{"id":"branch","name":"北京字节科技有限公司上海分公司","website":"zj.example.cn","deleted":true}`)
		w.write("firms.jsonl", strings.Join(more, "\n"))
		w.clean()
		expect(RelationQuery{}, group, home)
		w.write("firms.jsonl", strings.Join(firms, "\n")+"\n"+`{"id":"n1","name":"Quiet Rivers Media","phone":"+44 113 496 0001","deleted":true}`+"\n"+`{"id":"n2","name":"Old Harbour Foods"}`)
		w.clean()
		expect(RelationQuery{}, branch, group, phone, home)
		if _, _, err := w.app.PossibleRelations(t.Context(), RelationQuery{Golden: "firms/company/nobody", Limit: 5}); err == nil {
			t.Error("relations of a record that is not there are listed")
		}
		w.verify()
	})
}
