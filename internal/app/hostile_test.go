package app

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/html"
)

// hostilePayloads are 200 values that try to be more than text. What they would
// bring into a page, were they taken for markup, is named x-sentinel, has an
// attribute on… or leads to javascript:.
func hostilePayloads() (list []string) {
	run := []string{"x_sentinel()", "window.x_sentinel=1", "self['x_sentinel']=1"}
	for _, js := range run {
		list = append(list,
			"<script>"+js+"</script>", "</script><script>"+js+"</script>", "<img src=x onerror="+js+">", "\"><img src=x onerror=\""+js+"\">", "'><svg onload='"+js+"'>",
			"<svg><script>"+js+"</script></svg>", "<body onload="+js+">", "<iframe srcdoc=\"<script>"+js+"</script>\">", "<a href=\"javascript:"+js+"\">x</a>", "javascript:"+js,
			"JaVaScRiPt:"+js, "java\tscript:"+js, "data:text/html,<script>"+js+"</script>", "<math><mtext><x-sentinel onclick="+js+">", "<details open ontoggle="+js+">",
			"<input autofocus onfocus="+js+">", "<video><source onerror="+js+">", "<style>@import 'javascript:"+js+"'</style>", "\" onmouseover=\""+js, "' onfocus='"+js+"' autofocus='",
			"` onclick=`"+js, "--><script>"+js+"</script>", "]]><script>"+js+"</script>", "</title><script>"+js+"</script>", "</textarea><script>"+js+"</script>", "</select><img src=x onerror="+js+">",
			"<scr<script>ipt>"+js+"</script>", "%3Cscript%3E"+js+"%3C/script%3E", "&lt;script&gt;"+js+"&lt;/script&gt;", "\\u003cscript\\u003e"+js, "<base href=//evil.example>", "<meta http-equiv=refresh content=0;url=javascript:"+js+">",
			"<link rel=stylesheet href=//evil.example/x.css>", "<form action=javascript:"+js+"><button>x", "<object data=javascript:"+js+">", "<embed src=javascript:"+js+">", "<x-sentinel>"+js, "<template><script>"+js+"</script></template>",
		)
	}
	for _, open := range []string{"{{.}}", "{{template \"main\" .}}", "{{`x`}}", "${7*7}", "#{7*7}", "<%= 7*7 %>", "{{constructor.constructor('x')()}}", "[[7*7]]"} {
		list = append(list, open, "a"+open+"b")
	}
	list = append(list,
		"=1+1", "+1+1", "-1+1", "@SUM(1)", "=HYPERLINK(\"http://evil.example\",\"x\")", "=cmd|' /C calc'!A0", "\t=1", "＝1+1",
		"\u202egnp.exe", "a\u2066b\u2069c", "\u200bzero\u200bwidth\u200d", "\ufeffbom", "a\u0000nul", "Z"+strings.Repeat("\u0301", 300), "lone \ufffd surrogate", strings.Repeat("W", 3000), strings.Repeat("长", 2000),
		strings.Repeat("word ", 2000), "شركة الاختبار", "חברת בדיקה", "👩‍👩‍👧‍👦🏳️‍🌈", "a\r\nb", "\u2028line\u2029", "%s%d%!x", "'; DROP TABLE audit; --", "../../etc/passwd", "C:\\con", "null", "true", "NaN",
	)
	for i := 0; len(list) < 200; i++ {
		list = append(list, fmt.Sprintf("<x-sentinel onclick=x_sentinel() id=%d>%c", i, rune(0x4e00+i)))
	}
	return list
}

// TestHostileValues walks every page of the hostile world that a GET reaches, as an
// admin: nothing of the payloads becomes an element, an attribute or an address,
// every table can be read as one, and no cell of it is a formula.
func TestHostileValues(t *testing.T) {
	t.Parallel()
	h := hostileWorld(t)
	walk := &hostileWalk{T: t, base: h.url, client: h.client(), seen: map[string]bool{}, shapes: map[string]int{}, reached: map[string]int{}, longest: map[string]string{}, size: map[string]int{}, mux: http.NewServeMux()}
	for i, r := range h.routes {
		walk.mux.HandleFunc(r.Pattern, func(http.ResponseWriter, *http.Request) {})
		path, get := strings.CutPrefix(r.Pattern, "GET ")
		switch {
		case !get:
		case !strings.Contains(path, "{"), strings.HasSuffix(path, "/{$}"):
			walk.queue = append(walk.queue, strings.TrimSuffix(path, "{$}"))
		default: // what no record is called by
			for n := range 3 {
				walk.queue = append(walk.queue, wildcard.ReplaceAllLiteralString(path, url.PathEscape(h.payload(i+n))))
			}
		}
	}
	for i, p := range h.payloads[:24] {
		p, q := url.QueryEscape(p), url.QueryEscape(h.payload(i+24))
		walk.queue = append(
			walk.queue, "/customers?q="+p+"&source="+q, "/audit?who="+p+"&from="+p, "/review/list?text="+p+"&after="+p, "/review/list?text="+p+"&source="+q+"&kind="+p, "/quarantine?source="+p+"&rule="+q+"&fault="+p,
			"/runs?source="+p, "/proposals?entity="+p+"&kind="+q, "/conflicts?view="+p+"&target="+q, "/decisions?state="+p+"&customer="+q, "/customers/merge?a="+p+"&b="+q, "/bulk?text="+p+"&source="+q+"&assigned="+q,
			"/customers.csv?q="+p+"&source="+q, "/plans/desk?op="+p+"&field="+q, "/login?next="+p, "/lookup?name="+p+"&phone="+q, "/api/why?a="+p+"&b="+q,
		)
	}
	walk.queue = append(walk.queue, "/api/why?a=crm/company/c0&b=crm/company/c1")
	walk.run()
	for _, r := range h.routes {
		if strings.HasPrefix(r.Pattern, "GET /") && walk.reached[r.Pattern] == 0 && !slices.Contains(unlinked(), r.Pattern) {
			t.Errorf("%s was not walked: no link leads there, or it answers none", r.Pattern)
		}
	}
	t.Logf("%d pages, %d tables", walk.pages, walk.tables)
	if walk.pages < 500 || walk.tables < 50 {
		t.Errorf("only %d pages and %d tables were walked: %v", walk.pages, walk.tables, walk.shapes)
	}
	h.look(walk)
}

// wildcard is a part of a pattern that stands for any name.
var wildcard = regexp.MustCompile(`\{[a-z]+\}`)

// unlinked are addresses that this installation has nothing for.
func unlinked() []string {
	return []string{
		"GET /setup", // there are accounts
		"GET /bulk/{id}",
	}
}

// hostileWalk follows the links of pages, a bounded number of each shape.
type hostileWalk struct {
	*testing.T
	base    string
	client  *http.Client
	mux     *http.ServeMux    // which pattern an address belongs to
	reached map[string]int    // pattern → answers of 200
	longest map[string]string // pattern → its address with the most links and values
	size    map[string]int    // of these, in bytes
	queue   []string
	seen    map[string]bool
	shapes  map[string]int
	pages   int
	tables  int
}

// perShape is how many addresses of one pattern are visited.
const perShape = 12

func (w *hostileWalk) run() {
	for len(w.queue) > 0 {
		path := w.queue[0]
		w.queue = w.queue[1:]
		if !w.seen[path] {
			w.seen[path] = true
			w.visit(path)
		}
	}
}

func (w *hostileWalk) visit(path string) {
	req, err := http.NewRequestWithContext(w.Context(), http.MethodGet, w.base+path, nil)
	if err != nil {
		w.Errorf("%q: %v", path, err)
		return
	}
	resp, err := w.client.Do(req)
	if err != nil {
		w.Errorf("%q: %v", path, err)
		return
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, 32<<20))
	resp.Body.Close()
	if _, pattern := w.mux.Handler(req); resp.StatusCode == http.StatusOK {
		w.reached[pattern]++
	}
	switch {
	case err != nil || resp.StatusCode >= 500:
		w.Errorf("%q: %d, %v", path, resp.StatusCode, err)
		return
	case strings.HasPrefix(resp.Header.Get("Content-Type"), "text/csv"):
		w.table(path, body)
		return
	case !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html"):
		return
	case len(body) > 3<<20:
		w.Errorf("%q: the page has %d bytes", path, len(body))
	case !strings.Contains(resp.Header.Get("Content-Security-Policy"), "default-src 'none'"):
		w.Errorf("%q has no policy", path)
	}
	w.pages++
	if _, pattern := w.mux.Handler(req); resp.StatusCode == http.StatusOK && len(body) > w.size[pattern] {
		w.longest[pattern], w.size[pattern] = path, len(body)
	}
	doc, err := html.Parse(strings.NewReader(string(body)))
	if err != nil {
		w.Errorf("%q: %v", path, err)
		return
	}
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode {
			w.element(path, n)
		}
	}
}

// table wants rows of one length without a cell that a spreadsheet would run.
func (w *hostileWalk) table(path string, body []byte) {
	w.tables++
	rows, err := csv.NewReader(bytes.NewReader(body)).ReadAll()
	if err != nil || len(rows) == 0 {
		w.Errorf("%q: %d rows, %v", path, len(rows), err)
	}
	for _, row := range rows {
		for i, cell := range row {
			if first, _ := utf8.DecodeRuneInString(cell); cell != "" && strings.ContainsRune("=+-@\t\r＝＋－＠", first) {
				w.Errorf("%q: column %d has the formula %.40q", path, i, cell)
			}
		}
	}
}

// element wants nothing that could run, and follows links.
func (w *hostileWalk) element(path string, n *html.Node) {
	if slices.Contains([]string{"x-sentinel", "iframe", "object", "embed", "base", "math", "video", "style", "template"}, n.Data) {
		w.Errorf("%q: the page has an element <%s>", path, n.Data)
	}
	for _, a := range n.Attr {
		value := strings.ToLower(strings.TrimSpace(a.Val))
		switch {
		case strings.HasPrefix(a.Key, "on"), a.Key == "style", a.Key == "srcdoc":
			w.Errorf("%q: <%s> has an attribute %s", path, n.Data, a.Key)
		case a.Key == "src" && n.Data == "script" && !strings.HasPrefix(value, "/assets/"), a.Key == "src" && n.Data == "img" && !strings.HasPrefix(value, "/"):
			w.Errorf("%q: <%s> is loaded from %q", path, n.Data, a.Val)
		case (a.Key == "href" || a.Key == "action" || a.Key == "formaction") && !ours(value):
			w.Errorf("%q: <%s> leads to %q", path, n.Data, a.Val)
		case a.Key == "href" && (n.Data == "a" || n.Data == "link") && strings.HasPrefix(value, "/"):
			w.follow(a.Val)
		}
	}
	if n.Data == "script" && n.FirstChild != nil {
		w.Errorf("%q: a script stands in the page", path)
	}
}

// ours says whether an address leads into Touchstone, by path or query alone.
func ours(value string) bool {
	return value == "" || strings.HasPrefix(value, "/") && !strings.HasPrefix(value, "//") || strings.HasPrefix(value, "?") || strings.HasPrefix(value, "#") ||
		strings.HasPrefix(value, "https://") && !strings.Contains(value, "evil.example")
}

func (w *hostileWalk) follow(link string) {
	u, err := url.Parse(link)
	if err != nil {
		w.Errorf("a link that is none: %q", link)
		return
	}
	_, shape := w.mux.Handler(&http.Request{Method: http.MethodGet, URL: u, Host: "localhost"})
	if len(u.RawQuery) > 0 {
		shape += "?"
	}
	if w.shapes[shape] >= perShape || w.seen[link] || strings.Contains(u.RawQuery, "lang=") || strings.Contains(u.RawQuery, "theme=") {
		return
	}
	w.shapes[shape]++
	w.queue = append(w.queue, link)
}
