package web

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"touchstone/internal/auth"
)

func (s *server) handoverRoutes(m *routes) {
	m.handle("GET /handovers", auth.SeeCustomers, auth.ByList, s.handovers)
	m.handle("POST /handovers", auth.Decide, auth.ByList, s.handOver)
	m.handle("GET /handovers/{id}", auth.SeeCustomers, auth.ByList, s.handover)
	m.handle("GET /handovers/{id}/certificate.csv", auth.Export, auth.ByList, s.certificateCSV)
	m.handle("GET /handovers/{id}/certificate.json", auth.Export, auth.ByList, s.certificateJSON)
}

type handoversView struct {
	page
	OwnerList
	Q       HandoverQuery
	Preview *HandoverPreview
	List    []HandoverRow
	Problem Problem
	Why     string
}

const (
	// handoversListed is how many hand-overs a page lists, handedListed how many
	// customers of one.
	handoversListed = 50
	handedListed    = 100
	maxOwner        = 200
)

func handoverQuery(v url.Values) HandoverQuery {
	return HandoverQuery{Entity: cutText(v.Get("entity"), 100), From: cutText(v.Get("from"), maxOwner), To: cutText(v.Get("to"), maxOwner), Source: cutText(v.Get("source"), 100)}
}

// handovers lists who looks after how many, and what passing them on would do.
func (s *server) handovers(w http.ResponseWriter, r *http.Request) {
	s.showHandovers(w, r, http.StatusOK, handoverQuery(r.URL.Query()), r.URL.Query().Has("to"), Problem{})
}

func (s *server) showHandovers(w http.ResponseWriter, r *http.Request, status int, q HandoverQuery, preview bool, problem Problem) {
	owners, ok := look(s, w, r, "read.owners", func(ctx context.Context) (OwnerList, error) { return s.data.Owners(ctx, q.Entity) }, func(o OwnerList) []string { return []string{o.Entity} })
	if !ok {
		return
	}
	q.Entity = owners.Entity
	list, ok := load(s, w, r, func(ctx context.Context) ([]HandoverRow, error) { return s.data.Handovers(ctx, handoversListed) })
	if !ok {
		return
	}
	v := handoversView{page: s.page(w, r, "plans"), OwnerList: owners, Q: q, List: list, Problem: problem, Why: r.PostForm.Get("why")}
	if preview {
		ctx, cancel := context.WithTimeout(r.Context(), overviewBound)
		defer cancel()
		p, err := s.data.PreviewHandover(ctx, q)
		if told, mendable := s.refusal(r, err); mendable {
			if status, v.Problem = http.StatusUnprocessableEntity, told; problem.Text != "" {
				v.Problem = problem
			}
		} else if err != nil {
			s.answerError(w, r, err, nil)
			return
		} else {
			if !s.seen(w, r, "read.owners", p.Shown()...) {
				return
			}
			v.Preview = &p
		}
	}
	s.render(w, r, status, "handovers.html", v)
}

// handOver passes the customers on that the preview has shown.
func (s *server) handOver(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	q := handoverQuery(r.PostForm)
	var id string
	do := func(ctx context.Context, by By) (done Done, err error) {
		id, err = s.data.HandOver(ctx, q, r.PostForm.Get("token"), by)
		return Done{Key: "handover.done", Undo: id}, err
	}
	s.actTo(w, r, func() string { return "/handovers/" + url.PathEscape(id) }, do, func(p Problem) {
		s.showHandovers(w, r, http.StatusUnprocessableEntity, q, true, p)
	})
}

type handoverView struct {
	page
	HandoverPage
}

// handover is the certificate: each customer, what stood there, what stands
// there, and whether the systems have it.
func (s *server) handover(w http.ResponseWriter, r *http.Request) {
	data, ok := look(s, w, r, "read.handover", func(ctx context.Context) (HandoverPage, error) {
		return s.data.HandoverPage(ctx, r.PathValue("id"), r.URL.Query().Get("after"), handedListed)
	}, handed)
	if ok {
		s.render(w, r, http.StatusOK, "handover.html", handoverView{s.page(w, r, "plans"), data})
	}
}

// handed are the customers that a certificate names.
func handed(p HandoverPage) []string {
	ids := []string{p.ID}
	for _, x := range p.Parts {
		if x.Golden != "" {
			ids = append(ids, x.Golden)
		}
	}
	return ids
}

// eachHanded reads a certificate page by page; what is read is kept first.
func (s *server) eachHanded(w http.ResponseWriter, r *http.Request, begin func(HandoverPage), fn func(HandoverPage, HandoverPart) error) {
	for after, first := "", true; ; first = false {
		p, ok := look(s, w, r, "read.handover.export", func(ctx context.Context) (HandoverPage, error) {
			return s.data.HandoverPage(ctx, r.PathValue("id"), after, 1000)
		}, handed)
		if !ok {
			return
		}
		if first {
			begin(p)
		}
		for _, x := range p.Parts {
			if fn(p, x) != nil {
				return
			}
		}
		if after = p.Next; after == "" {
			return
		}
	}
}

func (s *server) certificateCSV(w http.ResponseWriter, r *http.Request) {
	var write func(cells ...string) error
	end := func() {}
	s.eachHanded(w, r, func(p HandoverPage) {
		write, end = s.sheet(w, "handover-"+p.ID+".csv", certificateHead(p)...)
	}, func(p HandoverPage, x HandoverPart) error { return write(certificateCells(p, x)...) })
	end()
}

// certificateLine is one customer of a certificate, as JSON.
type certificateLine struct {
	N        int               `json:"n"`
	Customer string            `json:"customer"`
	Name     string            `json:"name"`
	Before   string            `json:"before"`
	After    string            `json:"after"`
	Now      string            `json:"now"`
	Writes   map[string]string `json:"writes"`
}

func (s *server) certificateJSON(w http.ResponseWriter, r *http.Request) {
	lines := []certificateLine{}
	var head HandoverPage
	began := false
	s.eachHanded(w, r, func(p HandoverPage) { head, began = p, true }, func(p HandoverPage, x HandoverPart) error {
		l := certificateLine{x.N, x.Golden, x.Name, x.Before, p.To, x.Now, map[string]string{}}
		for _, y := range x.Writes {
			l.Writes[y.Target] = y.State
		}
		lines = append(lines, l)
		return nil
	})
	if !began {
		return
	}
	s.file(w, "application/json", "handover-"+head.ID+".json")
	_ = json.NewEncoder(w).Encode(map[string]any{ // a reader that went away is its own affair
		"decision": head.ID, "entity": head.Entity, "from": head.From, "to": head.To, "who": head.Who, "why": head.Why, "at": head.At.UTC().Format(time.RFC3339), "undone": head.Undone, "customers": lines,
	})
}
