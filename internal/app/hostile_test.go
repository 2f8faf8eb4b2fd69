package app

import (
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"touchstone/internal/store"
	"touchstone/internal/web"
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

// TestHostileValues puts the payloads into every field of records that come from a
// file, into decisions and the address, and walks every page that it can reach:
// nothing of them becomes an element, an attribute or an address.
func TestHostileValues(t *testing.T) {
	t.Parallel()
	var table strings.Builder
	out := csv.NewWriter(&table)
	rows := [][]string{{"id", "name", "phone", "website", "employees"}}
	payloads := hostilePayloads()
	if len(payloads) < 200 {
		t.Fatalf("%d payloads, want 200", len(payloads))
	}
	for i, p := range payloads {
		p = strings.ReplaceAll(p, "\x00", "")
		row := []string{fmt.Sprintf("h%03d", i), p, fmt.Sprintf("+44 113 49%05d", i), fmt.Sprintf("h%d.example", i), ""}
		switch i % 4 {
		case 1: // its id
			row[0] += p[:min(len(p), 200)]
		case 2:
			row[2] = p
		case 3: // into quarantine with it
			row[4] = p
		}
		rows = append(rows, row)
	}
	if err := out.WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	w, _ := tableWorld(t, table.String())
	w.open()
	w.pass()
	list, err := w.app.Store.GoldenList(t.Context(), store.GoldenFilter{Limit: 400})
	if err != nil || len(list) < 100 {
		t.Fatalf("%d golden records, %v", len(list), err)
	}
	for i := 0; i+1 < 20; i += 2 { // reasons and names of who decides are data too
		w.decision(w.app.Merge(t.Context(), list[i].ID, list[i+1].ID, By{Who: payloads[i], Why: payloads[i+1]}))
	}
	srv := httptest.NewServer(web.New(w.app, web.Options{Env: w.env, Log: w.app.Log, ShowValues: true, LookUp: w.app}))
	t.Cleanup(srv.Close)
	walk := &hostileWalk{T: t, base: srv.URL, seen: map[string]bool{}, shapes: map[string]int{}}
	walk.queue = []string{"/", "/review", "/review/list", "/quarantine", "/customers", "/conflicts", "/bridges", "/proposals", "/shared", "/decisions", "/audit", "/bulk", "/plans", "/runs", "/quality", "/sources/list", "/targets/desk"}
	for _, p := range payloads[:60] {
		walk.queue = append(walk.queue, "/customers?q="+url.QueryEscape(p), "/audit?who="+url.QueryEscape(p)+"&from="+url.QueryEscape(p))
	}
	walk.run()
	if walk.pages < 150 || walk.shapes["/customers/*"] < 20 || walk.shapes["/quarantine/*"] < 5 {
		t.Errorf("only %d pages were walked: %v", walk.pages, walk.shapes)
	}
}

// hostileWalk follows the links of pages, a bounded number of each shape.
type hostileWalk struct {
	*testing.T
	base   string
	queue  []string
	seen   map[string]bool
	shapes map[string]int
	pages  int
}

// perShape is how many addresses of one shape are visited.
const perShape = 30

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
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.Errorf("%q: %v", path, err)
		return
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, 32<<20))
	resp.Body.Close()
	switch {
	case err != nil || resp.StatusCode >= 500:
		w.Errorf("%q: %d, %v", path, resp.StatusCode, err)
		return
	case !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html"):
		return
	case !strings.Contains(resp.Header.Get("Content-Security-Policy"), "default-src 'none'"):
		w.Errorf("%q has no policy", path)
	}
	w.pages++
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
		case a.Key == "href" && n.Data == "a" && strings.HasPrefix(value, "/"):
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
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	if len(parts) > 1 {
		parts[1] = "*"
	}
	shape := "/" + strings.Join(parts, "/")
	if len(u.RawQuery) > 0 {
		shape += "?"
	}
	if strings.HasSuffix(u.Path, ".csv") { // a table, not a page
		return
	}
	if w.shapes[shape] >= perShape || w.seen[link] || strings.Contains(u.RawQuery, "lang=") || strings.Contains(u.RawQuery, "theme=") {
		return
	}
	w.shapes[shape]++
	w.queue = append(w.queue, link)
}
