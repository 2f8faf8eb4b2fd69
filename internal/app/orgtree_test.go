package app

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"touchstone/internal/record"
	"touchstone/internal/store"
)

func TestOrgChartSaysWhoDecidesAndWhatIsNotKnown(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w := relatedWorld(t, dsn, 2, 6)
		for i, title := range []string{"CEO", "CFO", "Buyer", "Engineer"} {
			w.relate(fmt.Sprintf("p%d", i), Employer, "f0", func(r *Relate) { r.Title, r.Since = title, "2025-01-01" })
		}
		w.relate("p1", ReportsTo, "p0", nil)
		w.relate("p2", ReportsTo, "p1", nil)
		w.relate("p3", ReportsTo, "p5", nil) // of no company
		w.relate("p2", BuyingRole, "f0", func(r *Relate) { r.Role = "buyer" })
		w.relate("p4", BuyingRole, "f0", func(r *Relate) { r.Role = "influencer" }) // does not work there
		w.relate("p2", Stance, "f0", func(r *Relate) { r.Stance = "supporter" })
		chart := func(day string) (string, string) {
			t.Helper()
			c, err := w.app.OrgChart(t.Context(), "firms:f0", day)
			if err != nil {
				t.Fatal(err)
			}
			var lines, gaps []string
			c.Walk(func(n *OrgNode, depth int) {
				text := strings.Repeat(">", depth) + n.Title
				for _, r := range n.Roles {
					text += "+" + r.Role
				}
				if n.Stance != nil {
					text += "!" + n.Stance.Stance
				}
				lines = append(lines, text)
			})
			for _, g := range c.Gaps {
				gaps = append(gaps, strings.TrimRight(g.Kind+" "+g.Role, " "))
			}
			return strings.Join(lines, " "), strings.Join(gaps, ", ")
		}
		lines, gaps := chart("")
		if want := "CEO >CFO >>Buyer+buyer!supporter +influencer Engineer"; lines != want && lines != "CEO >CFO >>Buyer+buyer!supporter Engineer +influencer" {
			t.Errorf("chart %q, want %q", lines, want)
		}
		if want := "no_decider, no_role initiator, no_role user, outside, left, no_stance, no_line"; gaps != want {
			t.Errorf("gaps %q, want %q", gaps, want)
		}
		if lines, _ = chart("2024-01-01"); strings.Contains(lines, "CEO") {
			t.Errorf("before they worked there: %q", lines)
		}
		by := ann
		by.Over = true
		w.decision(w.app.Relate(t.Context(), Relate{From: "people:p0", Kind: ReportsTo, To: "people:p2"}, by)) // a circle
		lines, gaps = chart("")
		if want := "CEO >CFO >>Buyer+buyer!supporter"; !strings.HasPrefix(lines, want) || !strings.Contains(gaps, "circle") {
			t.Errorf("a circle gives %q, gaps %q; want %q and it named", lines, gaps, want)
		}
		w.relate("p0", BuyingRole, "f0", func(r *Relate) { r.Role = "decider" })
		w.relate("p0", Stance, "f0", func(r *Relate) { r.Stance = "opponent" })
		if _, gaps = chart(""); strings.Contains(gaps, "no_decider") || !strings.Contains(gaps, "opponent") {
			t.Errorf("gaps %q, want no missing decider, and that he is an opponent", gaps)
		}
		if _, err := w.app.OrgChart(t.Context(), "people:p0", ""); err == nil {
			t.Error("a person has an organisation chart")
		}
	})
}

func TestGroupTreeMultipliesSharesAndEndsInCircles(t *testing.T) {
	w := relatedWorld(t, "", 7, 0)
	share := func(s string) func(*Relate) { return func(r *Relate) { r.Share = s } }
	w.relate("f1", Parent, "f0", share("80"))
	w.relate("f2", Parent, "f1", share("50"))
	w.relate("f3", BranchOf, "f2", nil)
	w.relate("f4", BrandOf, "f1", nil)
	w.relate("f5", Parent, "f1", nil) // nobody said how much
	w.relate("f2", Parent, "f6", share("30"))
	tree := func(id, day string) string {
		t.Helper()
		g, err := w.app.GroupTree(t.Context(), id, day)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		g.Walk(func(n *GroupNode, depth int) {
			out = append(out, strings.Repeat(">", depth)+n.Ref[strings.LastIndex(n.Ref, "/")+1:]+"="+n.Held)
		})
		text := strings.Join(out, " ")
		for _, o := range g.Others {
			text += " | " + edgeText(o)
		}
		for _, e := range g.Circle {
			text += " | circle " + e.Ref
		}
		return text
	}
	want := "f0=100 >f1=80 >>f2=40 >>>f3=40 >>f5= >>f4=80 | f2 parent f6 30"
	for _, id := range []string{"firms:f0", "firms:f3", "firms:f4"} {
		if got := tree(id, ""); got != want {
			t.Errorf("group of %s\n%s, want\n%s", id, got, want)
		}
	}
	w.relate("f0", Parent, "f3", share("1"))
	if got := tree("firms:f2", ""); !strings.Contains(got, "circle firms/company/f0") || strings.Count(got, "=") != 6 {
		t.Errorf("a circle: %s, want every company once and the circle named", got)
	}
}

// TestRollUpIsTheSumOfItsLeaves: over random graphs, with circles and several
// parents, every company of the tree is in it once, and the total is the exact
// sum of what each has of its own.
func TestRollUpIsTheSumOfItsLeaves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "companies")
		node := rapid.Int64Range(1, int64(n))
		var edges []Relation
		for range rapid.IntRange(0, 20).Draw(t, "edges") {
			a, b := node.Draw(t, "a"), node.Draw(t, "b")
			if a != b {
				r := Relation{Kind: rapid.SampledFrom([]string{Parent, BranchOf, BrandOf}).Draw(t, "kind"), a: a, b: b, A: End{Name: fmt.Sprint(a)}, B: End{Name: fmt.Sprint(b)}}
				if r.Kind == Parent {
					r.Share = rapid.SampledFrom([]string{"", "100", "33.3", "0"}).Draw(t, "share")
				}
				edges = append(edges, r)
			}
		}
		asked := node.Draw(t, "asked")
		var tree GroupTree
		nodes := growGroup(asked, End{Name: fmt.Sprint(asked)}, edges, &tree)
		sum, count := new(big.Rat), 0
		for f, x := range nodes {
			cents := rapid.IntRange(-100000, 100000).Draw(t, "cents")
			amount := big.NewRat(int64(cents), 100)
			x.own = sumsOf([]store.EventTotal{{Type: "order", Currency: "EUR", Count: 1, Amount: amount.FloatString(2)}, {Type: "ticket", Count: int(f)}})
			sum.Add(sum, amount)
			count += int(f)
		}
		rollUp(tree.Top)
		seen := map[int64]bool{}
		tree.Walk(func(x *GroupNode, _ int) {
			if seen[x.founder] {
				t.Fatalf("company %d stands in the tree twice", x.founder)
			}
			seen[x.founder] = true
			if x.held != nil && (x.held.Sign() < 0 || x.held.Cmp(big.NewRat(1, 1)) > 0) {
				t.Fatalf("company %d is held by %s", x.founder, x.held)
			}
		})
		if len(seen) != len(nodes) || !seen[asked] {
			t.Fatalf("%d companies in the tree of %d, asked for %d", len(seen), len(nodes), asked)
		}
		want := []GroupTotal{{Count: count}, {Currency: "EUR", Count: len(nodes), Amount: sum.FloatString(2)}}
		if !slices.Equal(tree.Top.Total, want) {
			t.Fatalf("total %+v, want %+v", tree.Top.Total, want)
		}
	})
}

// TestOrgTreeHoldsEverybodyOnce: whatever the reporting lines are.
func TestOrgTreeHoldsEverybodyOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "people")
		people := map[int64]*OrgNode{}
		for i := range int64(n) {
			people[i+1] = &OrgNode{End: End{Name: fmt.Sprint(i), Entity: record.Person}, founder: i + 1}
		}
		for f, x := range people {
			if m := rapid.Int64Range(0, int64(n)).Draw(t, "manager"); m != f && m != 0 {
				x.manager, x.Line = m, &Relation{}
			}
		}
		var c OrgChart
		orgTree(people, &c)
		seen := map[int64]bool{}
		c.Walk(func(x *OrgNode, _ int) {
			if seen[x.founder] {
				t.Fatalf("person %d stands in the chart twice", x.founder)
			}
			seen[x.founder] = true
		})
		if len(seen) != n {
			t.Fatalf("%d of %d people are in the chart", len(seen), n)
		}
	})
}
