package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"touchstone/internal/auth"
)

// proposalsShown is how many proposed relations one page lists.
const proposalsShown = 40

func (s *server) proposalRoutes(m *routes) {
	m.handle("GET /bridges", auth.SeeCustomers, auth.WholeOnly, s.bridges)
	m.handle("GET /bridges.csv", auth.Export, auth.WholeOnly, s.bridgesExport)
	m.handle("POST /bridges/{pair}", auth.Decide, auth.WholeOnly, s.decideBridge)
	m.handle("GET /proposals", auth.SeeCustomers, auth.ByList, s.proposals)
	m.handle("GET /proposals.csv", auth.Export, auth.ByList, s.proposalsExport)
	m.handle("POST /proposals", auth.Decide, auth.ByList, s.decideProposals)
	m.handle("GET /shared", auth.SeeCustomers, auth.WholeOnly, s.shared)
}

type bridgeView struct {
	page
	BridgePage
	Inbox   string
	At      string // the pair whose decision was refused
	Trouble string
}

func (s *server) bridges(w http.ResponseWriter, r *http.Request) {
	s.showBridges(w, r, http.StatusOK, r.URL.Query(), bridgeView{})
}

func (s *server) showBridges(w http.ResponseWriter, r *http.Request, status int, q url.Values, v bridgeView) {
	data, ok := look(s, w, r, "read.bridges", func(ctx context.Context) (BridgePage, error) {
		return s.data.BridgePage(ctx, q.Get("entity"), q.Get("after"))
	}, func(p BridgePage) (ids []string) {
		for _, b := range p.Rows {
			ids = append(ids, b.A.Golden, b.B.Golden)
		}
		for _, x := range p.Between {
			ids = append(ids, x.Record.Golden, x.Sides[0].Golden, x.Sides[1].Golden)
		}
		return unique(ids)
	})
	if !ok {
		return
	}
	v.page, v.BridgePage, v.Inbox = s.page(w, r, "quarantine"), data, "bridges"
	s.render(w, r, status, "bridges.html", v)
}

// bridgesMost bounds the weak links of one export.
const bridgesMost = 10_000

// bridgesExport lists the weak links that wait: names, records and weights.
func (s *server) bridgesExport(w http.ResponseWriter, r *http.Request) {
	entity, after := r.URL.Query().Get("entity"), ""
	var rows [][]string
	for len(rows) < bridgesMost {
		data, ok := look(s, w, r, "read.bridges.export", func(ctx context.Context) (BridgePage, error) { return s.data.BridgePage(ctx, entity, after) }, func(p BridgePage) (ids []string) {
			for _, b := range p.Rows {
				ids = append(ids, b.A.Golden, b.B.Golden)
			}
			return unique(ids)
		})
		if !ok {
			return
		}
		for _, b := range data.Rows {
			rows = append(rows, []string{
				b.ID, data.Entity, b.A.Golden, b.A.Name, b.A.Source + " " + b.A.ID, count(b.Members[0]), b.B.Golden, b.B.Name, b.B.Source + " " + b.B.ID, count(b.Members[1]),
				strconv.FormatFloat(b.Probability, 'f', 4, 64), strconv.FormatFloat(b.Bits, 'f', 2, 64), strconv.FormatFloat(b.Mean, 'f', 2, 64),
			})
		}
		if after = data.Next; after == "" {
			break
		}
	}
	s.table(w, "bridges.csv", []string{
		"pair", "entity", "customer", "name", "record", "records", "other customer", "other name", "other record", "other records", "probability", "bits", "mean bits of the groups",
	}, rows)
}

func (s *server) decideBridge(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	pair, entity := r.PathValue("pair"), r.PostForm.Get("entity")
	q := url.Values{"entity": {entity}}
	s.act(w, r, "/bridges?"+q.Encode(), func(ctx context.Context, by By) (Done, error) {
		return s.data.DecideBridge(ctx, pair, r.PostForm.Get("how"), by)
	}, func(p Problem) {
		s.showBridges(w, r, http.StatusUnprocessableEntity, q, bridgeView{At: pair, Trouble: p.Text})
	})
}

type proposalView struct {
	page
	ProposalPage
	Inbox string
	All   bool     // to decide all of the filter
	As    []string // as which all that are listed can be stated
}

// alike are the relations that each of the proposals can be stated as.
func alike(rows []Proposal) (as []string) {
	for i, x := range rows {
		if i == 0 {
			as = slices.Clone(x.As)
		}
		as = slices.DeleteFunc(as, func(s string) bool { return !slices.Contains(x.As, s) })
	}
	return as
}

func proposalFilter(q url.Values) ProposalFilter {
	return ProposalFilter{Entity: q.Get("entity"), Kind: q.Get("kind"), Limit: proposalsShown}
}

func (s *server) proposals(w http.ResponseWriter, r *http.Request) {
	data, ok := look(s, w, r, "read.proposals", func(ctx context.Context) (ProposalPage, error) {
		return s.data.ProposalPage(ctx, proposalFilter(r.URL.Query()))
	}, proposalIDs)
	if !ok {
		return
	}
	v := proposalView{page: s.page(w, r, "quarantine"), ProposalPage: data, Inbox: "proposals", All: r.URL.Query().Get("all") != "" && len(data.Rows) > 0}
	if v.All {
		v.As = alike(data.Rows)
	}
	s.render(w, r, http.StatusOK, "proposals.html", v)
}

func proposalIDs(p ProposalPage) []string {
	var ids []string
	for _, x := range p.Rows {
		ids = append(ids, x.A, x.B)
	}
	return unique(ids)
}

// decideProposals accepts proposals as a relation, or refuses them.
func (s *server) decideProposals(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	f := proposalFilter(r.PostForm)
	q := url.Values{"entity": {f.Entity}, "kind": {f.Kind}}
	s.act(w, r, "/proposals?"+q.Encode(), func(ctx context.Context, by By) (Done, error) {
		if as := r.PostForm.Get("as"); as != "" {
			return s.data.AcceptProposals(ctx, r.PostForm["proposal"], as, by)
		}
		return s.data.RefuseProposals(ctx, f, r.PostForm["proposal"], by)
	}, nil)
}

func (s *server) proposalsExport(w http.ResponseWriter, r *http.Request) {
	f := proposalFilter(r.URL.Query())
	f.Limit = exportShown
	data, ok := look(s, w, r, "read.proposals.export", func(ctx context.Context) (ProposalPage, error) { return s.data.ProposalPage(ctx, f) }, proposalIDs)
	if !ok {
		return
	}
	var rows [][]string
	for _, x := range data.Rows {
		rows = append(rows, []string{x.Kind, x.A, x.NameA, x.RecordA, x.B, x.NameB, x.RecordB, x.Apart, s.opts.Env.Clock.Now().UTC().Format(time.RFC3339)})
	}
	s.table(w, "proposals.csv", []string{"kind", "customer", "name", "record", "other customer", "other name", "other record", "what says that they are two", "as of"}, rows)
}

type sharedView struct {
	page
	SharedPage
	Inbox string
}

func (s *server) shared(w http.ResponseWriter, r *http.Request) {
	data, ok := look(s, w, r, "read.shared", func(ctx context.Context) (SharedPage, error) {
		return s.data.SharedPage(ctx, r.URL.Query().Get("entity"))
	}, func(p SharedPage) (ids []string) {
		for _, x := range p.Rows {
			ids = append(ids, x.Users...)
		}
		return unique(ids)
	})
	if ok {
		s.render(w, r, http.StatusOK, "shared.html", sharedView{page: s.page(w, r, "quarantine"), SharedPage: data, Inbox: "shared"})
	}
}
