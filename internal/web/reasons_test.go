package web

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// keptSentences reads out of the code what is kept in English and shown on pages
// later: the errors of connectors and requests, what deliveries and alerts say.
func keptSentences(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, pattern := range []string{
		"../../connectors/*.go", "../../connectors/rest/*.go", "../../connectors/file/*.go", "../../connectors/sqldb/*.go", "../httpx/*.go", "../outbox/*.go",
		"../app/alert.go", "../app/deletes.go", "../app/rules_held.go", "../app/balance.go", "../store/audit_verify.go",
	} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if base := filepath.Base(name); strings.HasSuffix(base, "_test.go") || strings.HasPrefix(base, "options") || base == "reference.go" || base == "compile.go" {
				continue // what a configuration is told stands on no page
			}
			set := gotoken.NewFileSet()
			file, err := parser.ParseFile(set, name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok || len(call.Args) == 0 {
					return true
				}
				f, ok := call.Fun.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				room, _ := f.X.(*ast.Ident)
				if room == nil || room.Name+"."+f.Sel.Name != "fmt.Errorf" && room.Name+"."+f.Sel.Name != "errors.New" {
					return true
				}
				if lit, ok := call.Args[0].(*ast.BasicLit); ok && lit.Kind == gotoken.STRING {
					if s, err := strconv.Unquote(lit.Value); err == nil {
						out[s] = set.Position(n.Pos()).String()
					}
				}
				return true
			})
		}
	}
	if len(out) < 100 {
		t.Errorf("%d sentences found, want 100 or more", len(out))
	}
	return out
}

// TestKeptSentencesAreSaidInEveryLanguage fills what the code keeps in English
// with values and wants all words of it said: what is left is a value.
func TestKeptSentencesAreSaidInEveryLanguage(t *testing.T) {
	t.Parallel()
	formVerb := regexp.MustCompile(`%(?:\[\d\])?[0-9.]*([a-z])`)
	word := regexp.MustCompile(`[A-Za-z]{2,}`)
	// What goes no further than a log or a command: what a configuration is told,
	// and names of keys.
	kept := regexp.MustCompile(`^(keep|load|hash|write|open|make|close|verify) |^read the audit|^(path|format|delimiter|encoding|merged|header_row|max_record|sqlite|want postgres|origin of)\b|paginator\.|incremental\.|login\.`)
	for from, where := range keptSentences(t) {
		if kept.MatchString(from) {
			continue
		}
		for _, l := range languages()[1:] {
			left := from
			for _, value := range []string{"§", "company", "a list", "5s", "create"} { // parts of some kinds are said only where they are of the kind
				text := strings.ReplaceAll(formVerb.ReplaceAllStringFunc(from, func(verb string) string {
					return map[string]string{"d": "7", "g": "5", "q": `"` + value + `"`, "x": "1f"}[verb[len(verb)-1:]] + map[bool]string{true: value}[strings.Contains("svw", verb[len(verb)-1:])]
				}), "%%", "%")
				unsaid := ""
				for _, p := range (words{l}).retold(text) {
					if p.Data && len(word.FindAllString(strings.ReplaceAll(p.Text, value, ""), -1)) > 1 {
						unsaid = p.Text
					}
				}
				if left = unsaid; left == "" {
					break
				}
			}
			if left != "" {
				t.Errorf("%s: %s does not say %q of %q: add it to words/reasons/logged.%s.yaml", where, l.Code, left, from, l.Code)
			}
		}
	}
}

// TestKeptSentencesInPieces: errors in errors, words of others, times and lengths.
func TestKeptSentencesInPieces(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, hans, hant string }{
		{"source crm: pull page 4: page 4, record 9: id: the record has none", "来源 [crm]：拉取第 4 页：第 4 页，第 9 条记录：记录没有编号", "來源 [crm]：拉取第 4 頁：第 4 頁，第 9 筆記錄：記錄沒有編號"},
		{"source crm: pull page 1: credentials rejected: status 401: the vendor: says no", "来源 [crm]：拉取第 1 页：凭据被拒绝：状态码 401：[the vendor: says no]", "來源 [crm]：拉取第 1 頁：憑證被拒絕：狀態碼 401：[the vendor: says no]"},
		{"GET http://crm.example/contacts: connection refused", "[GET http://crm.example/contacts]：连接被拒绝", "[GET http://crm.example/contacts]：連線被拒絕"},
		{"source crm has had no good run since 2026-01-05T09:00:00Z", "来源 [crm] 自 2026-01-05 09:00:00 UTC 起没有一次成功的运行", "來源 [crm] 自 2026-01-05 09:00:00 UTC 起沒有一次成功的執行"},
		{"the limit of requests is used up for 1h30m0s", "请求额度已用完，还需 1 小时 30 分", "請求額度已用完，還需 1 小時 30 分"},
		{"pulled 12345, stored 3", "拉取 12\u202f345，存入 3", "拉取 12\u202f345，存入 3"},
		{"nobody knows: this", "[nobody knows: this]", "[nobody knows: this]"},
		{strings.Repeat("x: ", 700), "[" + strings.Repeat("x: ", 700) + "]", "[" + strings.Repeat("x: ", 700) + "]"},
		{"", "[]", "[]"},
	}
	for _, tt := range tests {
		for i, l := range languages() {
			got := ""
			for _, p := range (words{l}).retold(tt.text) {
				if p.Data {
					p.Text = "[" + p.Text + "]"
				}
				got += p.Text
			}
			if got == "" {
				got = "[]"
			}
			if want := []string{tt.text, tt.hans, tt.hant}[i]; got != want && (i > 0 || tt.text != "") {
				t.Errorf("%s: %.80q is said as %q, want %q", l.Code, tt.text, got, want)
			}
		}
	}
	zh, _ := byCode("zh-Hans")
	began := time.Now()
	for _, hostile := range []string{strings.Repeat("source x: ", 190), strings.Repeat("a, at byte 1", 150), strings.Repeat("x\n: ", 400)} {
		_ = words{zh}.retold(hostile)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("three texts took %v", took)
	}
}
