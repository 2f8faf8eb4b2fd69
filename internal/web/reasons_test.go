package web

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"path/filepath"
	"regexp"
	"slices"
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
		"../app/alert.go", "../app/deletes.go", "../app/rules_held.go", "../app/balance.go", "../app/rulings_repair.go", "../store/audit_verify.go", "../pipeline/*.go",
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
				if room == nil || !slices.Contains([]string{"fmt.Errorf", "errors.New", "fmt.Sprintf"}, room.Name+"."+f.Sel.Name) {
					return true
				}
				if lit, ok := call.Args[0].(*ast.BasicLit); ok && lit.Kind == gotoken.STRING {
					if s, err := strconv.Unquote(lit.Value); err == nil && (f.Sel.Name != "Sprintf" || sentenceLike(s)) {
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

// sentenceLike says that a format is words for people: no statement for a database
// or a server, no name or number in pieces.
func sentenceLike(format string) bool {
	words := regexp.MustCompile(`[A-Za-z]{2,}`).FindAllString(regexp.MustCompile(`%[-+#0-9.\[\]]*[a-z]`).ReplaceAllString(format, ""), -1)
	return len(words) > 1 && strings.Contains(format, " ") && !regexp.MustCompile(`\b(SELECT|INSERT|UPDATE|DELETE|WHERE|AND|ORDER|PRAGMA|SET|COPY|FETCH|DECLARE|FROM)\b`).MatchString(format)
}

// filled gives what a form's arguments are filled with, one after the other: all
// alike first. Parts of some kinds are said only where they are of the kind.
func filled(n int) (out [][]string) {
	kinds := []string{"§", "company", "a list", "5s", "create", "2026-01-05T09:00:00Z"}
	for _, k := range kinds {
		out = append(out, slices.Repeat([]string{k}, max(n, 1)))
	}
	for i := range 1 << min(n, 6) { // names and times among one another
		mixed := make([]string, max(n, 1))
		for j := range mixed {
			mixed[j] = kinds[5*(i>>min(j, 5)&1)]
		}
		out = append(out, mixed)
	}
	for at := range n { // the name of an entity type among others
		mixed := slices.Repeat([]string{"§"}, n)
		mixed[at] = "company"
		out = append(out, mixed)
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
	kept := regexp.MustCompile(`^(keep|load|hash|write|open|make|close|verify) |^read the audit|^(path|format|delimiter|encoding|merged|header_row|max_record|sqlite|want postgres|origin of)\b|paginator\.|incremental\.|login\.|^a repair needs|^what a repair of|^%d of %d %s records no longer come`) // the last has a form for each of its reasons
	for from, where := range keptSentences(t) {
		if kept.MatchString(from) {
			continue
		}
		for _, l := range languages()[1:] {
			left := from
			for _, values := range filled(strings.Count(formVerb.ReplaceAllString(from, "%"), "%")) {
				i := -1
				text := strings.ReplaceAll(formVerb.ReplaceAllStringFunc(from, func(verb string) string {
					i++
					switch value := values[min(i, len(values)-1)]; verb[len(verb)-1] {
					case 'd':
						return "7"
					case 'g':
						return "5"
					case 'x':
						return "1f"
					case 'q':
						return `"` + value + `"`
					default:
						return value
					}
				}), "%%", "%")
				unsaid := ""
				for _, p := range (words{l}).retold(text) {
					rest := p.Text
					for _, value := range values {
						rest = strings.ReplaceAll(rest, value, "")
					}
					if p.Data && len(word.FindAllString(rest, -1)) > 1 {
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

// TestDetailsOfTheAuditTrail says how things were done in the reader's words: what is
// left is a name or an address.
func TestDetailsOfTheAuditTrail(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][2]string{
		"steward":                                {"数据管理员", "資料管理員"},
		"viewer → admin":                         {"查看者 → 管理员", "檢視者 → 管理員"},
		"viewer scopes emea,apac masks phones":   {"查看者，范围 [emea,apac]，遮盖 [phones]", "檢視者，範圍 [emea,apac]，遮罩 [phones]"},
		"of a machine: machine":                  {"程序用：程序", "程式用：程式"},
		"of an account masks phones":             {"账户用，遮盖 [phones]", "帳號用，遮罩 [phones]"},
		"recovery code":                          {"使用恢复码", "使用復原碼"},
		"all sessions":                           {"全部会话", "全部工作階段"},
		"password from 192.0.2.7":                {"密码错误，来自 [192.0.2.7]", "密碼錯誤，來自 [192.0.2.7]"},
		"code used, or account changed from ::1": {"验证码已用过，或账户已改变，来自 [::1]", "驗證碼已用過，或帳號已變更，來自 [::1]"},
		"password again from a session":          {"在会话中再次输入密码时出错", "在工作階段中再次輸入密碼時出錯"},
		"disabled account from 192.0.2.7":        {"账户已停用，来自 [192.0.2.7]", "帳號已停用，來自 [192.0.2.7]"},
		"sees a part of what is there, 12 more within a minute of the first": {"只能看到一部分内容；首次之后一分钟内又有 12 次", "只能看到一部分內容；首次之後一分鐘內又有 12 次"},
		"big accounts": {"[big accounts]", "[big accounts]"}, // a name that somebody gave a view
	} {
		for i, l := range languages()[1:] {
			got := ""
			for _, p := range (words{l}).detail(text) {
				if p.Data {
					p.Text = "[" + p.Text + "]"
				}
				got += p.Text
			}
			if got != want[i] {
				t.Errorf("%s: %q is said as %q, want %q", l.Code, text, got, want[i])
			}
		}
	}
	for _, l := range languages()[1:] {
		if got := (words{l}).detail("needs accounts"); len(got) != 1 || got[0].Data {
			t.Errorf("%s: a permission is said as %+v", l.Code, got)
		}
	}
}

// TestKeptSentencesInPieces: errors in errors, words of others, times and lengths.
func TestKeptSentencesInPieces(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, hans, hant string }{
		{"is missing, and so are given_name, family_name and phones", "缺失，名、姓、电话也都缺失", "缺失，名、姓、電話也都缺失"},
		{"fill or map name or legal_name", "请填写或映射 [name]、[legal_name]", "請填寫或對應 [name]、[legal_name]"},
		{"source crm: pull page 4: page 4, record 9: id: the record has none", "来源 [crm]：拉取第 4 页：第 4 页，第 9 条记录：记录没有编号", "來源 [crm]：拉取第 4 頁：第 4 頁，第 9 筆記錄：記錄沒有編號"},
		{"source crm: pull page 1: credentials rejected: status 401: the vendor: says no", "来源 [crm]：拉取第 1 页：凭据被拒绝：状态码 401：[the vendor: says no]", "來源 [crm]：拉取第 1 頁：憑證被拒絕：狀態碼 401：[the vendor: says no]"},
		{"GET http://crm.example/contacts: connection refused", "[GET http://crm.example/contacts]：连接被拒绝", "[GET http://crm.example/contacts]：連線被拒絕"},
		{"source crm has had no good run since 2026-01-05T09:00:00Z", "来源 [crm] 自 2026-01-05 09:00:00 UTC 起没有一次成功的运行", "來源 [crm] 自 2026-01-05 09:00:00 UTC 起沒有一次成功的執行"},
		{"the limit of requests is used up for 1h30m0s", "请求额度已用完，还需 1 小时 30 分钟", "請求額度已用完，還需 1 小時 30 分鐘"},
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
			english := strings.NewReplacer("given_name", "given name", "family_name", "family name").Replace(tt.text)
			if want := []string{english, tt.hans, tt.hant}[i]; got != want && (i > 0 || tt.text != "") {
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
