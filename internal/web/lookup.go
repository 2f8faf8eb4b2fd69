package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"touchstone/internal/auth"
	"touchstone/internal/lookup"
	"touchstone/internal/record"
)

func (s *server) lookUpRoutes(m *routes) {
	if s.opts.LookUp != nil {
		m.handle("GET /lookup", auth.SeeCustomers, auth.ByList, s.lookUp)
	}
}

// lookUpFields are what the page asks of the built-in kinds of customers: what
// people have at hand when they are about to enter one.
var lookUpFields = map[string][]string{
	record.Company: {"name", "phone", "email", "website", "id", "address"},
	record.Person:  {"full_name", "phone", "email", "employer", "birth_date", "address"},
}

const maxLookUpFields = 12

// lookUpField is one line of the form.
type lookUpField struct{ Name, Value string }

// lookUpRow is a candidate with why, in the reader's language.
type lookUpRow struct {
	lookup.Candidate
	With, Against, Veto string
}

type lookUpView struct {
	page
	Kinds   []string
	Entity  string
	Fields  []lookUpField
	Told    bool // whether anything was asked
	Answer  lookup.Answer
	Rows    []lookUpRow
	Problem string
}

// lookUp shows whether a customer is already there. A link of a CRM fills it in:
// /lookup?name=…&phone=….
func (s *server) lookUp(w http.ResponseWriter, r *http.Request) {
	own := s.opts.LookUp.OwnFields()
	v := lookUpView{page: s.page(w, r, "lookup"), Kinds: own.Entities(), Entity: r.URL.Query().Get("entity")}
	if !slices.Contains(v.Kinds, v.Entity) {
		v.Entity = v.Kinds[0]
	}
	asked := map[string]any{}
	names, ok := lookUpFields[v.Entity]
	if !ok {
		names = own[v.Entity][:min(len(own[v.Entity]), maxLookUpFields)]
	}
	for _, name := range names {
		f := lookUpField{name, strings.TrimSpace(r.URL.Query().Get(name))}
		if v.Fields = append(v.Fields, f); f.Value != "" {
			asked[name] = f.Value
		}
	}
	status := http.StatusOK
	if len(asked) > 0 {
		v.Told = true
		if !s.lookedUp(w, r, &v, own, asked) {
			return
		}
		if v.Problem != "" {
			status = http.StatusUnprocessableEntity
		}
	}
	s.render(w, r, status, "lookup.html", v)
}

// lookedUp asks and words the answer. It answers itself when that fails.
func (s *server) lookedUp(w http.ResponseWriter, r *http.Request, v *lookUpView, own lookup.Own, asked map[string]any) bool {
	q, err := own.Read("", map[string]any{"entity": v.Entity, "fields": asked})
	if err == nil {
		q.Name = v.Fields[0].Value // half a name finds somebody too
		ctx, cancel := context.WithTimeout(r.Context(), lookupBound)
		defer cancel()
		v.Answer, err = s.opts.LookUp.LookUp(ctx, q)
	}
	var p *lookup.Problem
	switch {
	case errors.As(err, &p):
		v.Problem = p.Error()
		if v.Lang.Code != "en" {
			v.Problem = strings.TrimSpace(p.Field + " " + p.Zh)
		}
		return true
	case err != nil:
		s.answerError(w, r, err, nil)
		return false
	}
	var shown []string
	for _, c := range v.Answer.Candidates {
		v.Rows = append(v.Rows, v.words.lookUpRow(c))
		if c.Golden != "" {
			shown = append(shown, c.Golden)
		}
	}
	return s.seen(w, r, "read.match", shown...)
}

func (w words) lookUpRow(c lookup.Candidate) lookUpRow {
	list := make([]Evidence, len(c.Parts))
	for i, p := range c.Parts {
		list[i] = Evidence{Field: p.Field, Level: p.Level, Bits: p.Weight}
	}
	row := lookUpRow{Candidate: c}
	row.With, row.Against = w.forAndAgainst(list)
	if c.Veto != nil {
		row.Veto = w.T("lookup.veto")
	}
	return row
}
