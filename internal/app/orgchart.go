package app

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"touchstone/internal/record"
)

// OrgChart is the people of a company by reporting line, with their parts in its
// buying, as of a day.
type OrgChart struct {
	Company End        `json:"company"`
	Day     string     `json:"day"`
	Roots   []*OrgNode `json:"roots"` // who reports to nobody here
	People  int        `json:"people"`
	Gaps    []OrgGap   `json:"gaps"`
	More    bool       `json:"more,omitempty"` // some people are left out: there are too many
	Past    []Relation `json:"past,omitempty"` // what does not hold on the day
}

// OrgNode is a person of a company with who reports to them.
type OrgNode struct {
	End
	Title   string     `json:"title,omitempty"`
	Roles   []Relation `json:"roles,omitempty"`   // one of each role
	Stance  *Relation  `json:"stance,omitempty"`  // nil where nobody said
	Works   []Relation `json:"works,omitempty"`   // employments, the one that gives the title first
	Line    *Relation  `json:"line,omitempty"`    // to the manager in the chart
	Outside *Relation  `json:"outside,omitempty"` // to a manager who is not of this company
	Team    []*OrgNode `json:"team,omitempty"`

	founder int64
	manager int64 // founder; 0 for none here
}

// OrgGap is something that the chart does not know, or that does not fit.
type OrgGap struct {
	// Kind is no_decider, no_role (Role says which), no_stance, no_line, left
	// (has a part in buying and works here no longer), opponent (a decider who is
	// one), circle (a reporting line that leads back) or outside.
	Kind   string `json:"kind"`
	Role   string `json:"role,omitempty"`
	Person *End   `json:"person,omitempty"`
}

// OrgChart draws up the people of a company as of a day (YYYY-MM-DD, "" for
// today). Of a reporting line that leads back to itself one link is left out.
func (a *App) OrgChart(ctx context.Context, id, day string) (c OrgChart, err error) {
	g, _, err := a.findGolden(ctx, id)
	if err != nil {
		return c, err
	}
	if g.Entity != record.Company {
		return c, unclear("%s is a %s: an organisation chart is of a company", id, wordOf("entity", g.Entity))
	}
	day = a.dayOr(day)
	list, more, err := a.relationsAmong(ctx, []int64{g.Founder}, day)
	if err != nil {
		return c, err
	}
	c = OrgChart{Day: day, More: more}
	if c.Company, err = a.endOf(ctx, g); err != nil {
		return c, err
	}
	people := orgPeople(list, g.Founder, &c)
	lines, more, err := a.relationsAmong(ctx, slices.Sorted(maps.Keys(people)), day)
	if err != nil {
		return c, err
	}
	c.More = c.More || more
	orgLines(people, lines)
	orgTree(people, &c)
	orgGaps(people, &c)
	return c, nil
}

// orgPeople gathers who has to do with a company, by founder.
func orgPeople(list []Relation, company int64, c *OrgChart) map[int64]*OrgNode {
	people := map[int64]*OrgNode{}
	for _, r := range list {
		if r.b != company || !r.A.isPerson() || r.a == 0 {
			continue
		}
		if r.Over {
			c.Past = append(c.Past, r)
			continue
		}
		if r.Kind != Employer && r.Kind != BuyingRole && r.Kind != Stance {
			continue
		}
		n := people[r.a]
		if n == nil {
			n = &OrgNode{End: r.A, founder: r.a}
			people[r.a] = n
		}
		if r.Kind == Employer {
			n.Works = append(n.Works, r)
		}
		if r.Role != "" && !slices.ContainsFunc(n.Roles, func(x Relation) bool { return x.Role == r.Role }) {
			n.Roles = append(n.Roles, r)
		}
		if r.Kind == Stance && (n.Stance == nil || r.At > n.Stance.At) {
			n.Stance = &r
		}
	}
	for _, n := range people {
		// A person's word comes before a source's, a title before none.
		slices.SortStableFunc(n.Works, func(x, y Relation) int {
			return cmp.Or(-cmp.Compare(min(len(x.Title), 1), min(len(y.Title), 1)), -strings.Compare(x.At, y.At), -strings.Compare(x.Since, y.Since))
		})
		if len(n.Works) > 0 {
			n.Title = n.Works[0].Title
		}
		slices.SortFunc(n.Roles, func(x, y Relation) int {
			return cmp.Compare(slices.Index(record.BuyingRoles, x.Role), slices.Index(record.BuyingRoles, y.Role))
		})
	}
	return people
}

// orgLines finds each person's manager: the newest word on it that names one of
// the company, a person's before a source's.
func orgLines(people map[int64]*OrgNode, lines []Relation) {
	for _, r := range lines {
		n := people[r.a]
		if r.Kind != ReportsTo || r.Over || n == nil || r.b == 0 {
			continue
		}
		if people[r.b] == nil {
			if n.Outside == nil || r.At > n.Outside.At {
				n.Outside = &r
			}
			continue
		}
		if n.Line == nil || cmp.Or(strings.Compare(r.At, n.Line.At), strings.Compare(r.Since, n.Line.Since)) > 0 {
			n.Line, n.manager = &r, r.b
		}
	}
}

// orgTree hangs people below their managers. Of a circle the person with the
// lowest landing number comes first.
func orgTree(people map[int64]*OrgNode, c *OrgChart) {
	founders := slices.Sorted(maps.Keys(people))
	for _, f := range founders {
		seen := map[int64]bool{}
		for x := f; x != 0 && !seen[x]; x = people[x].manager {
			seen[x] = true
			if m := people[x].manager; m == f { // f is in a circle, and nobody of it came before f
				who := people[f].End
				c.Gaps = append(c.Gaps, OrgGap{Kind: "circle", Person: &who})
				people[f].manager, people[f].Line = 0, nil
				break
			}
		}
	}
	for _, f := range founders {
		n := people[f]
		if n.manager == 0 {
			c.Roots = append(c.Roots, n)
			continue
		}
		people[n.manager].Team = append(people[n.manager].Team, n)
	}
	order := func(x, y *OrgNode) int {
		return cmp.Or(-cmp.Compare(min(len(x.Team), 1), min(len(y.Team), 1)), strings.Compare(x.Name, y.Name), cmp.Compare(x.founder, y.founder))
	}
	for _, n := range people {
		slices.SortFunc(n.Team, order)
	}
	slices.SortFunc(c.Roots, order)
	c.People = len(people)
}

// orgGaps lists what is not known of a company's buying.
func orgGaps(people map[int64]*OrgNode, c *OrgChart) {
	have := map[string]bool{}
	var each []OrgGap
	for _, f := range slices.Sorted(maps.Keys(people)) {
		n := people[f]
		gap := func(kind, role string) { each = append(each, OrgGap{kind, role, &n.End}) }
		for _, r := range n.Roles {
			have[r.Role] = true
			if r.Role == "decider" && n.Stance != nil && n.Stance.Stance == "opponent" {
				gap("opponent", "")
			}
		}
		if len(n.Works) == 0 {
			gap("left", "")
		}
		if len(n.Roles) > 0 && (n.Stance == nil || n.Stance.Stance == "unknown") {
			gap("no_stance", "")
		}
		if n.Outside != nil && n.Line == nil {
			gap("outside", "")
		}
		if n.Line == nil && n.Outside == nil && len(n.Team) == 0 && len(people) > 1 {
			gap("no_line", "")
		}
	}
	var gaps []OrgGap
	if !have["decider"] {
		gaps = append(gaps, OrgGap{Kind: "no_decider"})
	}
	for _, r := range record.BuyingRoles {
		if r != "decider" && !have[r] {
			gaps = append(gaps, OrgGap{Kind: "no_role", Role: r})
		}
	}
	c.Gaps = append(append(gaps, c.Gaps...), each...)
}

// Walk visits the people of a chart from the top, each before their team.
func (c OrgChart) Walk(visit func(n *OrgNode, depth int)) {
	var down func(list []*OrgNode, depth int)
	down = func(list []*OrgNode, depth int) {
		for _, n := range list {
			visit(n, depth)
			down(n.Team, depth+1)
		}
	}
	down(c.Roots, 0)
}

// String says what a gap is, for the command line.
func (g OrgGap) String() string {
	who := ""
	if g.Person != nil {
		who = cmp.Or(g.Person.Name, g.Person.ID)
	}
	switch g.Kind {
	case "no_decider":
		return "decider: unknown"
	case "no_role":
		return g.Role + ": unknown"
	case "opponent":
		return fmt.Sprintf("%s decides and is an opponent", who)
	case "left":
		return fmt.Sprintf("%s has a part in buying and is not known to work here", who)
	case "no_stance":
		return fmt.Sprintf("%s: stance unknown", who)
	case "outside":
		return fmt.Sprintf("%s reports to somebody of another company", who)
	case "circle":
		return fmt.Sprintf("the reporting line of %s leads back to them", who)
	}
	return fmt.Sprintf("%s: reporting line unknown", who)
}
