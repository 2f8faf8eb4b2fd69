package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"touchstone/internal/auth"
)

// bulkView is one answer to all pairs of a question, before it is given.
type bulkView struct {
	page
	Query   ReviewQuery
	Filters string
	Answer  string
	Preview BulkPreview
	Jobs    []BulkJob
	Problem Problem
	Why     string
	Can     bool
}

// Kept are the filters, for the form that chooses another answer.
func (v bulkView) Kept() map[string]string {
	out := map[string]string{}
	for name, values := range filtersOf(v.Query) {
		out[name] = values[0]
	}
	return out
}

// bulkJobs is how many earlier jobs are listed.
const bulkJobs = 10

// bulk shows what one answer to the pairs of a question would do.
func (s *server) bulk(w http.ResponseWriter, r *http.Request) {
	s.showBulk(w, r, http.StatusOK, reviewQuery(r.URL.Query(), auth.From(r.Context()).ID), r.URL.Query().Get("answer"), Problem{})
}

func (s *server) showBulk(w http.ResponseWriter, r *http.Request, status int, q ReviewQuery, answer string, problem Problem) {
	if !s.seen(w, r, "read.review") {
		return
	}
	if !slices.Contains([]string{AnswerSame, AnswerApart, AnswerUnsure}, answer) {
		answer = AnswerSame
	}
	preview, ok := load(s, w, r, func(ctx context.Context) (BulkPreview, error) { return s.data.PreviewBulk(ctx, q, answer) })
	if !ok {
		return
	}
	jobs, ok := load(s, w, r, func(ctx context.Context) ([]BulkJob, error) { return s.data.BulkJobs(ctx, bulkJobs) })
	if !ok {
		return
	}
	ids := make([]string, len(preview.Examples))
	for i, p := range preview.Examples {
		ids[i] = p.ID
	}
	if !s.seen(w, r, "read.review", ids...) {
		return
	}
	s.render(w, r, status, "bulk.html", bulkView{
		page: s.page(w, r, "review"), Query: q, Filters: filtersOf(q).Encode(), Answer: answer, Preview: preview, Jobs: jobs, Problem: problem,
		Why: r.PostForm.Get("why"), Can: auth.From(r.Context()).May(auth.Decide),
	})
}

// startBulk keeps what the preview showed as a job.
func (s *server) startBulk(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	q, answer := postedFilters(r), r.PostForm.Get("answer")
	var id string
	do := func(ctx context.Context, by By) (Done, error) {
		if by.Why == "" {
			return Done{}, &Problem{Field: "why", Text: wordsOf(r).T("bulk.why.needed")}
		}
		job, err := s.data.StartBulk(ctx, q, answer, r.PostForm.Get("token"), by)
		id = job.ID
		return Done{Key: "bulk.started"}, err
	}
	s.actTo(w, r, func() string { return "/bulk/" + url.PathEscape(id) }, do, func(p Problem) { s.showBulk(w, r, http.StatusUnprocessableEntity, q, answer, p) })
}

// bulkJobView is one job.
type bulkJobView struct {
	page
	BulkJob
	Can bool
}

// Share is how much of the job is done, in per cent.
func (v bulkJobView) Share() int {
	if v.Pairs == 0 {
		return 100
	}
	return min(100*(v.Decided+v.Skipped)/v.Pairs, 100)
}

func (s *server) bulkJob(w http.ResponseWriter, r *http.Request) {
	job, ok := load(s, w, r, func(ctx context.Context) (BulkJob, error) { return s.data.BulkJob(ctx, r.PathValue("id")) })
	if ok {
		s.render(w, r, http.StatusOK, "bulk_job.html", bulkJobView{s.page(w, r, "review"), job, auth.From(r.Context()).May(auth.Decide)})
	}
}

// changeBulk stops a job, lets it go on, or takes all of it back.
func (s *server) changeBulk(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	id := r.PathValue("id")
	s.act(w, r, "/bulk/"+url.PathEscape(id), func(ctx context.Context, by By) (done Done, err error) {
		switch r.PostForm.Get("do") {
		case "stop":
			_, err = s.data.StopBulk(ctx, id, by)
			return Done{Key: "bulk.stopped"}, err
		case "resume":
			_, err = s.data.ResumeBulk(ctx, id, by)
			return Done{Key: "bulk.started"}, err
		case "undo":
			_, err = s.data.UndoBulk(ctx, id, by)
			return Done{Key: "told.undo"}, err
		}
		return done, &Problem{Field: "do", Text: wordsOf(r).T("desk.say.none")}
	}, nil)
}
