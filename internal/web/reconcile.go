package web

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"touchstone/internal/auth"
	"touchstone/internal/lookup"
	"touchstone/internal/record"
)

// The reconciliation service speaks version 0.2 of the Reconciliation API of the
// W3C Entity Reconciliation Community Group
// (https://reconciliation-api.github.io/specs/0.2/), as OpenRefine asks it.

const (
	reconcilePath = "/reconcile/"
	// reconcileBatch is how many queries a client should send at once; more than
	// maxQueries are refused.
	reconcileBatch = 50
	// reconcileBound is how long one request may take.
	reconcileBound = 20 * time.Second

	previewWidth, previewHeight = 420, 260
)

// withReconcile serves the reconciliation service beside the pages. Its secret
// stands in the address, as OpenRefine can send none otherwise. So it needs no
// sign-in, carries no cookie, and any page may ask that knows the address.
func (s *server) withReconcile(next http.Handler) http.Handler {
	if s.opts.Reconcile == "" || s.opts.LookUp == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rest, ours := strings.CutPrefix(r.URL.Path, reconcilePath)
		if !ours {
			next.ServeHTTP(w, r)
			return
		}
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
		if r.Method == http.MethodOptions { // a browser asks first
			h.Set("Access-Control-Allow-Methods", "GET, POST")
			h.Set("Access-Control-Allow-Headers", "Content-Type")
			h.Set("Access-Control-Max-Age", "600")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		secret, rest, _ := strings.Cut(rest, "/")
		if !s.knowsReconcile(w, r, secret) {
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodPost {
			h.Set("Allow", "GET, POST")
			s.refuse(w, http.StatusMethodNotAllowed, apiError{Text: "ask with GET or POST", TextZh: "请使用 GET 或 POST 请求"})
			return
		}
		ctx, cancel := context.WithTimeout(auth.With(r.Context(), auth.Actor{ID: "reconcile", Role: auth.Machine}), reconcileBound)
		defer cancel()
		s.reconcile(w, r.WithContext(ctx), strings.TrimSuffix(rest, "/"))
	})
}

// knowsReconcile checks the secret, in a time that tells nothing, unless the
// address has guessed too often. It answers itself when it is wrong.
func (s *server) knowsReconcile(w http.ResponseWriter, r *http.Request, given string) bool {
	address := s.callerAddress(r)
	now := s.opts.Env.Clock.Now()
	if s.guesses.spent(address, now) {
		w.Header().Set("Retry-After", "10")
		s.refuse(w, http.StatusTooManyRequests, apiError{Text: "too many wrong addresses; wait a moment", TextZh: "错误地址过多，请稍后再试"})
		return false
	}
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(s.opts.Reconcile))
	if !hmac.Equal(a[:], b[:]) {
		s.guesses.wrong(address, now)
		s.opts.Log.WarnContext(r.Context(), "wrong address of the reconciliation service", "address", address)
		s.refuse(w, http.StatusUnauthorized, apiError{Text: "this is not the address of the service: it ends in the secret of server.reconcile", TextZh: "地址不正确：应以 server.reconcile 的密文结尾"})
		return false
	}
	return true
}

// reconcile answers one request; rest is the path behind the secret.
func (s *server) reconcile(w http.ResponseWriter, r *http.Request, rest string) {
	if !s.opts.ShowValues {
		s.refuse(w, http.StatusForbidden, apiError{Text: "customers' data is not shown here", TextZh: "这里不显示客户数据"})
		return
	}
	answer := map[string]func(http.ResponseWriter, *http.Request){
		"": s.service, "preview": s.preview, "properties": s.proposed,
		"suggest/entity": s.suggestEntity, "suggest/property": s.suggestProperty, "suggest/type": s.suggestType,
		"flyout/entity": s.flyoutEntity, "flyout/property": s.flyoutProperty, "flyout/type": s.flyoutType,
	}[rest]
	if answer == nil {
		s.refuse(w, http.StatusNotFound, apiError{Text: "there is nothing here", TextZh: "这里没有内容"})
		return
	}
	answer(w, r)
}

// service is the endpoint itself: the manifest without parameters, else a batch
// of queries or a request for values.
func (s *server) service(w http.ResponseWriter, r *http.Request) {
	queries, extend, ok := s.asked(w, r)
	switch {
	case !ok:
	case queries != "":
		s.reconcileQueries(w, r, queries)
	case extend != "":
		s.extend(w, r, extend)
	case r.Method == http.MethodPost:
		s.refuse(w, http.StatusBadRequest, apiError{Text: "the form holds neither queries nor extend", TextZh: "表单中没有 queries 或 extend"})
	default:
		s.answer(w, http.StatusOK, s.manifest(r))
	}
}

// asked gives the two parameters as JSON texts, of the address, of a form, or of a
// JSON object with that member.
func (s *server) asked(w http.ResponseWriter, r *http.Request) (queries, extend string, ok bool) {
	if r.Method != http.MethodPost {
		q := r.URL.Query()
		return q.Get("queries"), q.Get("extend"), true
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		body, ok := s.body(w, r)
		if !ok {
			return "", "", false
		}
		obj, err := readObject(body)
		if err != nil {
			s.failed(w, r, "reconcile", err)
			return "", "", false
		}
		text := func(name string) string {
			if v, has := obj[name]; has {
				return string(record.Canonical(nil, v))
			}
			return ""
		}
		return text("queries"), text("extend"), true
	}
	r.Body = http.MaxBytesReader(w, r.Body, 3*maxQuestion) // a form triples what is not ASCII
	err := r.ParseForm()
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		s.refuse(w, http.StatusRequestEntityTooLarge, apiError{Text: "the form is larger than " + strconv.Itoa(3*maxQuestion>>10) + " KiB", TextZh: "表单超过 " + strconv.Itoa(3*maxQuestion>>10) + " KiB"})
		return "", "", false
	}
	if err != nil {
		s.failed(w, r, "reconcile", &lookup.Problem{En: "the body is no form", Zh: "请求体不是表单"})
		return "", "", false
	}
	return r.PostForm.Get("queries"), r.PostForm.Get("extend"), true
}

type reconcileType struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// types are the kinds of customers, named in the reader's language.
func (s *server) types(r *http.Request) (list []reconcileType) {
	l := asksIn(r)
	for _, e := range lookup.Entities() {
		list = append(list, reconcileType{e, l.word("entity", e)})
	}
	return list
}

type suggestService struct {
	URL    string `json:"service_url"`
	Path   string `json:"service_path"`
	Flyout string `json:"flyout_service_path,omitempty"`
}

type viewTemplate struct {
	URL string `json:"url"`
}

type previewService struct {
	URL    string `json:"url"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
}

type extendService struct {
	Propose  suggestService  `json:"propose_properties"`
	Settings []extendSetting `json:"property_settings"`
}

type extendSetting struct {
	Name    string `json:"name"`
	Label   string `json:"label"`
	Type    string `json:"type"`
	Default int    `json:"default"`
	Help    string `json:"help_text"`
}

type manifest struct {
	Versions        []string                  `json:"versions"`
	Name            string                    `json:"name"`
	IdentifierSpace string                    `json:"identifierSpace"`
	SchemaSpace     string                    `json:"schemaSpace"`
	DefaultTypes    []reconcileType           `json:"defaultTypes"`
	View            viewTemplate              `json:"view"`
	Preview         previewService            `json:"preview"`
	Suggest         map[string]suggestService `json:"suggest"`
	Extend          extendService             `json:"extend"`
	BatchSize       int                       `json:"batchSize"`
}

// base is the address by which the client has reached us.
func base(r *http.Request) string {
	scheme := "http://"
	if r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https") {
		scheme = "https://"
	}
	return scheme + r.Host
}

// manifest says what the service can do, and where.
func (s *server) manifest(r *http.Request) manifest {
	at, path := base(r), reconcilePath+s.opts.Reconcile
	l := asksIn(r)
	m := manifest{
		Versions: []string{"0.2"}, Name: "Touchstone 试金石",
		IdentifierSpace: s.opts.LookUp.Space() + ":customer:", SchemaSpace: "urn:touchstone:fields",
		DefaultTypes: s.types(r), View: viewTemplate{at + "/customers/{{id}}"},
		Preview:   previewService{at + path + "/preview?id={{id}}", previewWidth, previewHeight},
		Suggest:   map[string]suggestService{},
		BatchSize: reconcileBatch,
		Extend: extendService{
			Propose:  suggestService{URL: at, Path: path + "/properties"},
			Settings: []extendSetting{{"limit", l.T("reconcile.limit"), "number", 0, l.T("reconcile.limit.help")}},
		},
	}
	for _, what := range []string{"entity", "property", "type"} {
		m.Suggest[what] = suggestService{URL: at, Path: path + "/suggest/" + what, Flyout: path + "/flyout/" + what + "?id=${id}"}
	}
	return m
}
