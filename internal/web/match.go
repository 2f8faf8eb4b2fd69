package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"touchstone/internal/lookup"
	"touchstone/internal/record"
)

// LookUps is what look-ups at entry and the reconciliation service need of the
// rest of Touchstone.
type LookUps interface {
	// LookUp weighs one record against all there are. The error is a
	// *lookup.Problem where the question is wrong.
	LookUp(ctx context.Context, q lookup.Query) (lookup.Answer, error)
	// OwnFields are the fields that the entity types of one's own are asked by.
	OwnFields() lookup.Own
	// Suggest lists golden records whose words begin so, or whose id it is, of an
	// entity type or of all ("").
	Suggest(ctx context.Context, text, entity string, skip, limit int) ([]lookup.Found, error)
	// Shown reads golden records by their ids; an id that is not known is absent.
	Shown(ctx context.Context, ids []string) (map[string]lookup.Found, error)
	// WhyShown says why two golden records or source records are one customer or
	// not, as JSON is made of it, and whose golden records it shows. The error is
	// a *lookup.Problem where one of them cannot be found.
	WhyShown(ctx context.Context, a, b string) (answer any, goldens []string, err error)
	// Space names this installation in the identifiers of its golden records.
	Space() string
	// Seen keeps that who was shown these: it is called before they are shown.
	Seen(ctx context.Context, who, what string, subjects []string) error
}

const (
	// maxQuestion bounds the body of a question, in bytes.
	maxQuestion = 1 << 20
	// maxQueries is how many questions one request may ask.
	maxQueries = 100
	// lookupBound is how long one request may take.
	lookupBound = 5 * time.Second
)

// apiError is what a caller is told that made a mistake, or met one.
type apiError struct {
	Field  string `json:"field,omitempty"`
	Text   string `json:"text"`
	TextZh string `json:"text_zh"`
	ID     string `json:"request,omitempty"` // of the log entry
}

func (s *server) refuse(w http.ResponseWriter, status int, e apiError) {
	s.answer(w, status, map[string]apiError{"error": e})
}

func (s *server) answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(true)
	_ = e.Encode(v) // a client that went away is its own affair
}

// failed answers for an error that is not the caller's, or is.
func (s *server) failed(w http.ResponseWriter, r *http.Request, what string, err error) {
	var p *lookup.Problem
	switch {
	case errors.As(err, &p):
		s.refuse(w, http.StatusBadRequest, apiError{Field: p.Field, Text: p.Error(), TextZh: strings.TrimSpace(p.Field + " " + p.Zh)})
	case errors.Is(err, context.DeadlineExceeded):
		w.Header().Set("Retry-After", "2")
		s.refuse(w, http.StatusServiceUnavailable, apiError{Text: "there are too many questions at once; ask again in a moment", TextZh: "当前请求过多，请稍后再试"})
	case errors.Is(err, context.Canceled):
		s.refuse(w, http.StatusServiceUnavailable, apiError{Text: "the request was given up", TextZh: "请求已取消"})
	default:
		id := s.number(r)
		s.opts.Log.ErrorContext(r.Context(), "look-up failed", "what", what, "request", id, "err", err)
		s.refuse(w, http.StatusInternalServerError, apiError{Text: "something went wrong; the log says more under this number", TextZh: "出错了，详情见日志中的该编号", ID: id})
	}
}

// match answers POST /api/match: is this customer already there?
func (s *server) match(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		s.refuse(w, http.StatusMethodNotAllowed, apiError{Text: "ask with POST", TextZh: "请使用 POST 请求"})
		return
	}
	if !s.opts.ShowValues {
		s.refuse(w, http.StatusForbidden, apiError{Text: "customers' data is not shown here", TextZh: "这里不显示客户数据"})
		return
	}
	// No page elsewhere can send this type without asking first.
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		s.refuse(w, http.StatusUnsupportedMediaType, apiError{Text: "Content-Type must be application/json", TextZh: "Content-Type 必须是 application/json"})
		return
	}
	body, ok := s.body(w, r)
	if !ok {
		return
	}
	queries, batch, err := readQuestions(body, s.opts.LookUp.OwnFields())
	if err != nil {
		s.failed(w, r, "match", err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), lookupBound)
	defer cancel()
	answers := make(map[string]lookup.Answer, len(queries))
	var shown []string
	for _, name := range slices.Sorted(maps.Keys(queries)) {
		a, err := s.opts.LookUp.LookUp(ctx, queries[name])
		if err != nil {
			s.failed(w, r, "match", err)
			return
		}
		for _, c := range a.Candidates {
			if c.Golden != "" && !slices.Contains(shown, c.Golden) {
				shown = append(shown, c.Golden)
			}
		}
		answers[name] = a
	}
	if len(shown) > 0 {
		if err := s.opts.LookUp.Seen(ctx, who(r.Context()), "read.match", shown); err != nil {
			s.failed(w, r, "match", err)
			return
		}
	}
	if batch {
		s.answer(w, http.StatusOK, map[string]any{"answers": answers})
		return
	}
	s.answer(w, http.StatusOK, answers[""])
}

// body reads a bounded body. It answers itself when that fails.
func (s *server) body(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxQuestion))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		s.refuse(w, http.StatusRequestEntityTooLarge, apiError{
			Text: "the question is larger than " + strconv.Itoa(maxQuestion>>10) + " KiB", TextZh: "请求超过 " + strconv.Itoa(maxQuestion>>10) + " KiB",
		})
		return nil, false
	case err != nil:
		s.refuse(w, http.StatusBadRequest, apiError{Text: "the question did not arrive whole", TextZh: "请求未完整到达"})
		return nil, false
	}
	return b, true
}

// readQuestions reads one question, under the name "", or {"queries": {…}}.
func readQuestions(body []byte, own lookup.Own) (queries map[string]lookup.Query, batch bool, err error) {
	obj, err := readObject(body)
	if err != nil {
		return nil, false, err
	}
	list, batch := obj["queries"]
	if !batch {
		q, err := own.Read("", obj)
		return map[string]lookup.Query{"": q}, false, err
	}
	if len(obj) > 1 {
		return nil, true, &lookup.Problem{Field: "queries", En: "stands beside other keys; want it alone, or one question without it", Zh: "不能与其他键并列；请只用 queries，或只写一个问题"}
	}
	each, ok := list.(map[string]any)
	if !ok || len(each) == 0 || len(each) > maxQueries {
		n := strconv.Itoa(maxQueries)
		return nil, true, &lookup.Problem{Field: "queries", En: "is no object of 1 to " + n + " questions", Zh: "应为含 1 到 " + n + " 个问题的对象"}
	}
	queries = make(map[string]lookup.Query, len(each))
	for _, name := range slices.Sorted(maps.Keys(each)) {
		at := "queries." + name
		q, ok := each[name].(map[string]any)
		if !ok {
			return nil, true, &lookup.Problem{Field: at, En: "is no object", Zh: "不是对象"}
		}
		if queries[name], err = own.Read(at, q); err != nil {
			return nil, true, err
		}
	}
	return queries, true, nil
}

// readObject reads one JSON object that is not nested beyond use.
func readObject(body []byte) (map[string]any, error) {
	if err := lookup.Shallow(body); err != nil {
		return nil, &lookup.Problem{En: err.Error(), Zh: "JSON 嵌套过深"}
	}
	obj, err := record.DecodeObject(body)
	if err != nil {
		return nil, &lookup.Problem{En: "the body is no JSON object: " + strings.TrimPrefix(err.Error(), "not a JSON object: "), Zh: "请求体不是 JSON 对象"}
	}
	return obj, nil
}
