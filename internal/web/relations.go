package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"
)

type relationsView struct {
	page
	RelationsPage
	Chart treeChart // partners, suppliers, referrals and what else sources name
	Typed RelateForm
	Why   string
	Wrong Problem
}

func (s *server) relations(w http.ResponseWriter, r *http.Request) {
	s.showRelations(w, r, http.StatusOK, Problem{})
}

func (s *server) showRelations(w http.ResponseWriter, r *http.Request, status int, wrong Problem) {
	data, ok := look(s, w, r, "read.customer", func(ctx context.Context) (p RelationsPage, err error) {
		p, err = s.data.Relations(ctx, r.PathValue("id"), r.URL.Query().Get("day"))
		if told, ok := s.refusal(r, err); ok {
			wrong, status = Problem{Field: "day", Text: told.Text}, http.StatusUnprocessableEntity
			return s.data.Relations(ctx, r.PathValue("id"), "")
		}
		return p, err
	}, func(p RelationsPage) []string { return []string{p.ID} })
	if ok {
		v := relationsView{page: s.page(w, r, "customers"), RelationsPage: data, Wrong: wrong, Why: r.PostForm.Get("why")}
		v.Typed, v.Chart = relateForm(r), networkChart(data, v.words)
		s.render(w, r, status, "relations.html", v)
	}
}

func relateForm(r *http.Request) RelateForm {
	get := func(name string) string { return strings.TrimSpace(r.PostForm.Get(name)) }
	return RelateForm{
		From: r.PathValue("id"), Kind: get("kind"), To: cutText(get("to"), 200), Title: get("title"), Role: get("role"), Stance: get("stance"),
		Share: get("share"), Since: get("since"), Until: get("until"),
	}
}

func customerAddress(r *http.Request, page string) string {
	return "/customers/" + url.PathEscape(r.PathValue("id")) + "/" + page
}

func (s *server) stateRelation(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	s.act(w, r, customerAddress(r, "relations"), func(ctx context.Context, by By) (Done, error) {
		return s.data.StateRelation(ctx, relateForm(r), by)
	}, func(p Problem) { s.showRelations(w, r, http.StatusUnprocessableEntity, p) })
}

func (s *server) endRelation(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	back := "relations"
	if r.PostForm.Get("back") == "people" {
		back = "people"
	}
	s.act(w, r, customerAddress(r, back), func(ctx context.Context, by By) (Done, error) {
		return s.data.FinishRelation(ctx, r.PathValue("decision"), strings.TrimSpace(r.PostForm.Get("until")), by)
	}, nil)
}

type peopleView struct {
	page
	OrgChart
	Chart treeChart
	Typed RelateForm
	Who   string // the person that a form speaks of
	Why   string
	Wrong Problem
}

func (s *server) orgChart(w http.ResponseWriter, r *http.Request) {
	s.showOrgChart(w, r, http.StatusOK, Problem{})
}

func (s *server) showOrgChart(w http.ResponseWriter, r *http.Request, status int, wrong Problem) {
	data, ok := look(s, w, r, "read.customer", func(ctx context.Context) (OrgChart, error) {
		return s.data.OrgChartPage(ctx, r.PathValue("id"), r.URL.Query().Get("day"))
	}, func(c OrgChart) []string {
		ids := []string{c.Company.ID}
		for _, p := range c.People {
			ids = append(ids, p.ID)
		}
		return ids
	})
	if !ok {
		return
	}
	v := peopleView{page: s.page(w, r, "customers"), OrgChart: data, Wrong: wrong, Typed: relateForm(r), Who: r.PostForm.Get("person"), Why: r.PostForm.Get("why")}
	v.Chart = peopleChart(data, v.words)
	s.render(w, r, status, "people.html", v)
}

// relatePerson states something of a person of a company: where the form has no
// kind it is said by which value is given.
func (s *server) relatePerson(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	in := wordsOf(r)
	s.act(w, r, customerAddress(r, "people"), func(ctx context.Context, by By) (Done, error) {
		f := relateForm(r)
		company, person := f.From, strings.TrimSpace(r.PostForm.Get("person"))
		if person == "" {
			return Done{}, &Problem{Field: "person", Text: in.T("staff.nobody")}
		}
		f.From = person
		if f.Kind != "reports_to" {
			f.To = company
		}
		return s.data.StateRelation(ctx, f, by)
	}, func(p Problem) { s.showOrgChart(w, r, http.StatusUnprocessableEntity, p) })
}

type groupView struct {
	page
	GroupTree
	Chart treeChart
}

func (s *server) group(w http.ResponseWriter, r *http.Request) {
	data, ok := look(s, w, r, "read.customer", func(ctx context.Context) (GroupTree, error) {
		return s.data.GroupTreePage(ctx, r.PathValue("id"), r.URL.Query().Get("day"))
	}, func(t GroupTree) (ids []string) {
		for _, n := range t.Nodes {
			ids = append(ids, n.ID)
		}
		return ids
	})
	if ok {
		v := groupView{page: s.page(w, r, "customers"), GroupTree: data}
		v.Chart = groupChart(data, v.words)
		s.render(w, r, http.StatusOK, "group.html", v)
	}
}
