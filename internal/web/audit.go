package web

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"touchstone/internal/auth"
)

// How much of the trail one page lists, and how much one export holds; touchstone
// audit export writes all of it, signed.
const (
	auditShown    = 50
	auditExported = 100_000
	auditBatch    = 1000
)

func (s *server) auditRoutes(m *routes) {
	m.handle("GET /audit", auth.SeeAudit, auth.WholeOnly, s.audit)
	m.handle("GET /audit.csv", auth.SeeAudit, auth.WholeOnly, s.auditCSV)
	m.handle("GET /audit.jsonl", auth.SeeAudit, auth.WholeOnly, s.auditJSONL)
}

type auditView struct {
	page
	AuditPage
	Q       AuditQuery
	Problem string // what is wrong with what was asked
	Quick   []auditTab
}

// auditTab is a question that is one click away.
type auditTab struct{ Key, What string }

func auditTabs() []auditTab {
	return []auditTab{{"audit.all", ""}, {"audit.merged", "decision.merge"}, {"audit.decided", "decision"}, {"audit.looked", "read"}, {"audit.approved", "plan"}}
}

func auditQuery(r *http.Request) AuditQuery {
	q := r.URL.Query()
	text := func(key string) string { return cutText(strings.TrimSpace(q.Get(key)), 500) }
	before, err := strconv.ParseInt(q.Get("before"), 10, 64)
	if err != nil || before < 0 {
		before = 0
	}
	return AuditQuery{Who: text("who"), What: text("what"), Subject: text("subject"), From: text("from"), To: text("to"), Before: before, Limit: auditShown}
}

func (s *server) audit(w http.ResponseWriter, r *http.Request) {
	q, status := auditQuery(r), http.StatusOK
	v := auditView{Q: q, Quick: auditTabs()}
	data, ok := load(s, w, r, func(ctx context.Context) (AuditPage, error) {
		p, err := s.data.AuditPage(ctx, q)
		if told, ok := s.refusal(r, err); ok { // the form as it was, and the trail as if nothing had been asked
			v.Problem, status = told.Text, http.StatusUnprocessableEntity
			return s.data.AuditPage(ctx, AuditQuery{Limit: auditShown})
		}
		return p, err
	})
	if ok {
		v.page, v.AuditPage = s.page(w, r, "audit"), data
		s.render(w, r, status, "audit.html", v)
	}
}

// Query is the address of the list with what is asked for, under another name.
func (v auditView) Query(path string) string {
	q := url.Values{}
	for key, value := range map[string]string{"who": v.Q.Who, "what": v.Q.What, "subject": v.Q.Subject, "from": v.Q.From, "to": v.Q.To} {
		if value != "" {
			q.Set(key, value)
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// Group says whether the action asked for is the first word of several.
func (v auditView) Group() bool { return v.Q.What != "" && !slices.Contains(v.Whats, v.Q.What) }

// Only is the address of the list of one thing.
func (v auditView) Only(key, value string) string {
	return "/audit?" + url.Values{key: {value}}.Encode()
}

// Chosen says whether the address asks for this action, or these.
func (v auditView) Chosen(what string) bool {
	return v.Q.What == what && v.Q.Who+v.Q.Subject+v.Q.From+v.Q.To == ""
}

// auditSubject is an id with where it leads; the ids of most kinds have a shape of
// their own.
type auditSubject struct{ ID, Href string }

var (
	goldenShape     = regexp.MustCompile(`^[a-km-np-z1-9]{16}$`)
	pairShape       = regexp.MustCompile(`^[0-9]+-[0-9]+$`)
	decisionShape   = regexp.MustCompile(`^d[a-km-np-z1-9]{16}$`)
	quarantineShape = regexp.MustCompile(`^q[a-km-np-z1-9]{10}$`)
)

// About are the subjects of an entry, the first few of many.
func (e AuditEntry) About() (list []auditSubject) {
	for i, id := range e.Subjects[:min(len(e.Subjects), auditAbout)] {
		one := auditSubject{ID: id}
		switch {
		case goldenShape.MatchString(id) && e.ofCustomer(i):
			one.Href = "/customers/" + id
		case pairShape.MatchString(id):
			one.Href = "/review/" + id
		case quarantineShape.MatchString(id):
			one.Href = "/quarantine/" + id
		case decisionShape.MatchString(id):
			one.Href = "/decisions/" + id
		}
		list = append(list, one)
	}
	return list
}

// ofCustomer says whether a subject that looks like a customer's id is one:
// sessions, writes and rulings have ids of that shape too.
func (e AuditEntry) ofCustomer(i int) bool {
	switch about, _, _ := strings.Cut(e.What, "."); about {
	case "read", "decision", "golden":
		return true
	case "ruling":
		return i > 0 // the first is the ruling
	}
	return false
}

// auditAbout is how many subjects of an entry the page names.
const auditAbout = 6

// More is how many it does not name.
func (e AuditEntry) More() int { return max(0, len(e.Subjects)-auditAbout) }

// auditEach gives what is asked for in batches, up to the bound of an export,
// after leaving an entry of its own.
func (s *server) auditEach(w http.ResponseWriter, r *http.Request, begin func(), each func(AuditEntry) error) {
	q := auditQuery(r)
	q.Limit = auditBatch
	ctx, cancel := context.WithTimeout(r.Context(), exportBound)
	defer cancel()
	first, err := s.data.AuditPage(ctx, q)
	if err != nil {
		s.answerError(w, r, err, func(p Problem) { http.Error(w, p.Text, http.StatusUnprocessableEntity) })
		return
	}
	if err := s.data.Seen(ctx, who(r.Context()), "audit.export", []string{"trail"}); err != nil {
		s.fail(w, r, err)
		return
	}
	begin()
	for n, p := 0, first; err == nil; {
		for _, e := range p.List {
			if err == nil {
				err = each(e)
			}
		}
		if n += len(p.List); err != nil || p.Next == "" || n >= auditExported {
			break
		}
		if q.Before, err = strconv.ParseInt(p.Next, 10, 64); err == nil {
			p, err = s.data.AuditPage(ctx, q)
		}
	}
	if err != nil { // the answer has begun: it is cut off, and not ended as if it were whole
		s.opts.Log.WarnContext(ctx, "export of the audit trail not sent to its end", "err", err)
		panic(http.ErrAbortHandler)
	}
}

func (s *server) auditCSV(w http.ResponseWriter, r *http.Request) {
	var write func(...string) error
	end := func() {} // nothing was begun
	s.auditEach(w, r, func() {
		write, end = s.sheet(w, "audit.csv", "row", "entry", "at", "who", "role", "request", "action", "about", "outcome", "detail")
	}, func(e AuditEntry) error {
		return write(strconv.FormatInt(e.Seq, 10), strconv.FormatInt(e.N, 10), e.At.UTC().Format(time.RFC3339Nano), e.Who, e.Role, e.Request, e.What,
			strings.Join(e.Subjects, " "), e.Outcome, e.Detail)
	})
	end()
}

func (s *server) auditJSONL(w http.ResponseWriter, r *http.Request) {
	out := json.NewEncoder(w)
	s.auditEach(w, r, func() { s.file(w, "application/jsonl", "audit.jsonl") }, func(e AuditEntry) error {
		return out.Encode(map[string]any{
			"row": e.Seq, "entry": e.N, "at": e.At.UTC().Format(time.RFC3339Nano), "who": e.Who, "role": e.Role, "request": e.Request, "action": e.What,
			"about": e.Subjects, "outcome": e.Outcome, "detail": e.Detail,
		})
	})
}
