package simulator

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// Paging of the register.
const (
	leiRecords   = "lei-records"
	leiPage      = 15
	leiPageMax   = 200
	leiResultCap = 10_000
)

// gleif speaks the JSON:API of the Global LEI Foundation's register. It takes no
// writes; /_admin/edit stands for the issuers.
type gleif struct{}

// GLEIF is a register of legal entities with the API of GLEIF under /api/v1.
// Ids are LEIs. It asks for no credentials.
func GLEIF() Profile {
	return Profile{
		Name: "gleif", dialect: gleif{},
		Objects: []Object{{
			Name: leiRecords, Prefix: leiIssuer, Required: []string{"name"},
			newID:  func(n int) string { return LEI(1_000_000 + n) },
			Fields: fields("name language transliterated line city region postcode country legal_form registered_at registered_as category status registration_status first_registered next_renewal", ""),
		}},
	}
}

// publishDate is the day of the golden copy: each change by an issuer goes into
// the next of three copies a day.
func (gleif) publishDate(s *System) string {
	return Start.Truncate(24 * time.Hour).Add(time.Duration(s.n) * 8 * time.Hour).Format(time.RFC3339)
}

// allows: the register is open to all.
func (gleif) allows(*call) (answer, bool) { return answer{}, true }

func (gleif) clean(_ Object, _ string, v any) any { return v }

func (gleif) clash(*System, *collection, *item, map[string]Change) *clash { return nil }

func (g gleif) says(_ *call, t trouble) answer {
	status, why := t.status, t.why
	switch status {
	case http.StatusTooManyRequests:
		why = "Too Many Attempts."
	case http.StatusOK:
		return g.failed(http.StatusOK, "Server Error", "the request was not carried out")
	case http.StatusServiceUnavailable:
		why = "The service is temporarily unavailable."
	case http.StatusInternalServerError:
		why = "Something went wrong."
	}
	a := g.failed(status, http.StatusText(status), why)
	if t.wait > 0 {
		a.retryAfter = seconds(t.wait)
	}
	return a
}

// failed is a JSON:API error document.
func (g gleif) failed(status int, title, detail string) answer {
	return g.document(status, map[string]any{"errors": []map[string]any{{"status": strconv.Itoa(status), "title": title, "detail": detail}}})
}

func (gleif) document(status int, v any) answer {
	a := jsonAnswer(status, v)
	a.header = http.Header{"Content-Type": {"application/vnd.api+json"}}
	return a
}

func (g gleif) handler(s *System) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/lei-records", s.vendor(route{object: leiRecords, list: true, first: "page[number]", do: g.list}))
	mux.HandleFunc("GET /api/v1/lei-records/{lei}", s.vendor(route{object: leiRecords, do: g.one}))
	mux.HandleFunc("GET /api/v1/fuzzycompletions", s.vendor(route{object: leiRecords, class: "search", do: g.fuzzy}))
	mux.HandleFunc("GET /api/v1/autocompletions", s.vendor(route{object: leiRecords, class: "search", do: g.complete}))
	mux.HandleFunc("/", s.vendor(route{object: "?", do: func(*call) answer {
		return g.failed(http.StatusNotFound, "Not Found", "The requested resource could not be found.")
	}}))
	return mux
}

func (g gleif) one(c *call) answer {
	it := c.s.objects[leiRecords].live(c.r.PathValue("lei"))
	if it == nil {
		return g.failed(http.StatusNotFound, "Not Found", "The requested resource could not be found.")
	}
	return g.document(http.StatusOK, map[string]any{"meta": g.meta(c), "data": g.render(c, it)})
}

func (g gleif) meta(c *call) map[string]any {
	return map[string]any{"goldenCopy": map[string]any{"publishDate": g.publishDate(c.s)}}
}

// list answers records in the order of their LEIs, filtered.
func (g gleif) list(c *call) answer {
	q := c.r.URL.Query()
	number, err := strconv.Atoi(cmp.Or(q.Get("page[number]"), "1"))
	size, err2 := strconv.Atoi(cmp.Or(q.Get("page[size]"), strconv.Itoa(leiPage)))
	most := cmp.Or(c.s.settings.PageMax, leiPageMax)
	if err != nil || err2 != nil || number < 1 || size < 1 || size > leiPageMax {
		return g.failed(http.StatusBadRequest, "Bad Request", "page[number] must be 1 or more, and page[size] 1 to "+strconv.Itoa(leiPageMax))
	}
	size = min(size, most)
	if number > cmp.Or(c.s.settings.ResultCap, leiResultCap)/size {
		return g.failed(http.StatusBadRequest, "Bad Request", "paging past "+strconv.Itoa(cmp.Or(c.s.settings.ResultCap, leiResultCap))+" results is not supported")
	}
	var found []*item
	for _, it := range c.s.objects[leiRecords].byIDs() {
		fits, known := g.fits(it, q)
		if !known {
			return g.failed(http.StatusBadRequest, "Bad Request", "a filter is not known")
		}
		if fits && !it.deleted {
			found = append(found, it)
		}
	}
	from := min((number-1)*size, len(found))
	page := found[from:min(from+size, len(found))]
	last := max(1, (len(found)+size-1)/size)
	if c.fault == EmptyPage {
		page = nil
	}
	data := make([]map[string]any, 0, len(page))
	for _, it := range page {
		data = append(data, g.render(c, it))
	}
	meta := g.meta(c)
	p := map[string]any{"currentPage": number, "perPage": size, "from": nil, "to": nil, "total": len(found), "lastPage": last}
	if len(page) > 0 {
		p["from"], p["to"] = from+1, from+len(page)
	}
	meta["pagination"] = p
	at := func(n int) string {
		own := url.Values{}
		for k, v := range q {
			own[k] = v
		}
		own.Set("page[number]", strconv.Itoa(n))
		own.Set("page[size]", strconv.Itoa(size))
		return c.base() + "/api/v1/lei-records?" + own.Encode()
	}
	links := map[string]any{"first": at(1), "last": at(last)}
	if number > 1 {
		links["prev"] = at(number - 1)
	}
	if number < last {
		links["next"] = at(number + 1)
	}
	if c.fault == Endless {
		links["next"] = at(number)
	}
	return g.document(http.StatusOK, map[string]any{"meta": meta, "links": links, "data": data})
}

// fits applies every filter of a query; known is false for one that the
// register does not have.
func (g gleif) fits(it *item, q url.Values) (fits, known bool) {
	fits = true
	for name, values := range q {
		filter, ok := strings.CutPrefix(name, "filter[")
		if !ok {
			continue
		}
		var any bool
		for want := range strings.SplitSeq(values[0], ",") {
			switch strings.TrimSuffix(filter, "]") {
			case "lei":
				any = any || it.id == want
			case "entity.legalName", "entity.names":
				any = any || leiMentions(text(it.fields["name"]), want)
			case "entity.legalAddress.country", "entity.jurisdiction":
				any = any || strings.EqualFold(text(it.fields["country"]), want)
			case "entity.registeredAs":
				any = any || text(it.fields["registered_as"]) == want
			case "entity.status":
				any = any || strings.EqualFold(cmp.Or(text(it.fields["status"]), "ACTIVE"), want)
			case "fulltext":
				all := it.id
				for _, f := range []string{"name", "transliterated", "line", "city", "registered_as"} {
					all += " " + text(it.fields[f])
				}
				any = any || leiMentions(all, values[0])
			default:
				return false, false
			}
		}
		fits = fits && any
	}
	return fits, true
}

// leiMentions says whether each word of want begins a word of have, without
// case and accents; in Chinese, where no spaces stand, whether it is in it.
func leiMentions(have, want string) bool {
	have = leiFold(have)
	words := strings.Fields(leiFold(want))
	for _, w := range words {
		if !strings.Contains(" "+have, " "+w) && (w[0] < 0x80 || !strings.Contains(have, w)) {
			return false
		}
	}
	return len(words) > 0
}

func leiFold(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= 0x300 && r < 0x370:
			return -1
		case strings.ContainsRune(".,;:()-/'\"", r):
			return ' '
		}
		return r
	}, norm.NFKD.String(s))
	return strings.ToLower(s)
}

// fuzzy offers the ten names most like q, by the pairs of letters they share.
func (g gleif) fuzzy(c *call) answer {
	want := pairs(leiFold(c.r.URL.Query().Get("q")))
	type hit struct {
		it    *item
		share float64
	}
	var hits []hit
	for _, it := range c.s.objects[leiRecords].byIDs() {
		if it.deleted {
			continue
		}
		have := pairs(leiFold(text(it.fields["name"])))
		both := 0
		for p := range want {
			if have[p] {
				both++
			}
		}
		if share := 2 * float64(both) / float64(max(1, len(want)+len(have))); share >= 0.4 {
			hits = append(hits, hit{it, share})
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return cmp.Compare(b.share, a.share) })
	data := []map[string]any{}
	for _, h := range hits[:min(10, len(hits))] {
		data = append(data, g.completion(c, "fuzzycompletions", h.it, nil))
	}
	return g.document(http.StatusOK, map[string]any{"data": data})
}

func pairs(s string) map[string]bool {
	out := map[string]bool{}
	r := []rune(s)
	for i := 0; i+1 < len(r); i++ {
		out[string(r[i:i+2])] = true
	}
	return out
}

// complete offers ten names that hold q.
func (g gleif) complete(c *call) answer {
	q := c.r.URL.Query().Get("q")
	data := []map[string]any{}
	for _, it := range c.s.objects[leiRecords].byIDs() {
		if name := text(it.fields["name"]); !it.deleted && leiMentions(name, q) && len(data) < 10 {
			data = append(data, g.completion(c, "autocompletions", it, map[string]any{"highlighting": name}))
		}
	}
	return g.document(http.StatusOK, map[string]any{"data": data})
}

func (gleif) completion(c *call, kind string, it *item, more map[string]any) map[string]any {
	attributes := map[string]any{"value": it.fields["name"]}
	for k, v := range more {
		attributes[k] = v
	}
	return map[string]any{"type": kind, "attributes": attributes, "relationships": map[string]any{leiRecords: map[string]any{
		"data":  map[string]any{"type": leiRecords, "id": it.id},
		"links": map[string]any{"related": c.base() + "/api/v1/lei-records/" + it.id},
	}}}
}
