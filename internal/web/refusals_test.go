package web

import (
	"fmt"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"touchstone/internal/auth"
	"touchstone/internal/say"
	"touchstone/rules/schema"
)

// sayers are the functions that take an English sentence, and where it stands
// among what they are given.
var sayers = map[string]int{"New": 0, "unclear": 0, "impossible": 0, "refused": 0, "Refuse": 1, "became": 1, "decidedBy": 1, "known": 0}

// sentences reads out of the code what other packages say to people, and where.
func sentences(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, dir := range []string{"../app", "../store", "../api", "."} {
		names, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			set := gotoken.NewFileSet()
			file, err := parser.ParseFile(set, name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if f, ok := n.(*ast.FuncDecl); ok {
					if _, hands := sayers[f.Name.Name]; hands {
						return false // what it is given is read where it is called
					}
				}
				english, said := sentenceOf(n)
				switch {
				case said && (english == "" || dir != "../api" && isKnown(n)):
					if !isKnown(n) {
						t.Errorf("%s: the sentence is no literal: it cannot be held to its forms", set.Position(n.Pos()))
					}
				case english != "":
					out[english] = set.Position(n.Pos()).String()
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

// isKnown says that a call is of known, which is a sayer in package api alone.
func isKnown(n ast.Node) bool {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return false
	}
	f, ok := call.Fun.(*ast.Ident)
	return ok && f.Name == "known"
}

// sentenceOf gives the sentence of a call of a sayer; "" where it is no literal.
func sentenceOf(n ast.Node) (english string, said bool) {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return "", false
	}
	name, room := "", ""
	switch f := call.Fun.(type) {
	case *ast.Ident:
		name = f.Name
	case *ast.SelectorExpr:
		x, ok := f.X.(*ast.Ident)
		if !ok {
			return "", false // a method of something else
		}
		name, room = f.Sel.Name, x.Name
	}
	at, ok := sayers[name]
	if !ok || len(call.Args) <= at || name == "New" && room != "say" || name != "New" && room != "" && room != "web" {
		return "", false
	}
	lit, ok := call.Args[at].(*ast.BasicLit)
	if !ok || lit.Kind != gotoken.STRING {
		return "", true
	}
	s, err := strconv.Unquote(lit.Value)
	if err != nil {
		return "", true
	}
	return s, true
}

var verb = regexp.MustCompile(`%(?:\[(\d+)\])?([a-z%])`)

// verbsOf lists which argument is written how.
func verbsOf(form string) (out []string) {
	i := 0
	for _, m := range verb.FindAllStringSubmatch(form, -1) {
		if m[2] == "%" {
			continue
		}
		if i++; m[1] != "" {
			i, _ = strconv.Atoi(m[1])
		}
		out = append(out, fmt.Sprint(i, m[2]))
	}
	slices.Sort(out)
	return out
}

// english finds words of English outside of what is a name of ours: of keys,
// commands, formats.
func english(text string) string {
	text = regexp.MustCompile(`touchstone( [a-z]+| --[a-z]+| [AB])+|review\.escalate|Idempotency-Key|Content-Encoding|Authorization: Bearer|server\.api_token|/openapi\.json|x-permission|x-narrow|API|MiB|ASCII|RFC|null|viewer|steward|admin|auditor|source|entity|golden|\bid\b|max_record|encoding|lookup|\{.*?\}|CSV|JSON|UTC|UTF-8|RE2|NUL|true|false|U\+[0-9A-F]+|[0-9:TZ-]{10,}`).ReplaceAllString(text, "")
	return regexp.MustCompile(`[A-Za-z]{2,}`).FindString(text)
}

// TestRefusalsAreSaidInEveryLanguage reads what other packages refuse with out of
// their code: each has a form in each language that takes the same arguments,
// and nothing English is left in it. A form that nobody says is none.
func TestRefusalsAreSaidInEveryLanguage(t *testing.T) {
	t.Parallel()
	said := sentences(t)
	for _, l := range languages()[1:] {
		for english, where := range said {
			if _, ok := l.sayings[english]; !ok {
				t.Errorf("%s: %s has no form of %q: add it to words/refusals/%s.yaml", where, l.Code, english, l.Code)
			}
		}
		for from, to := range l.sayings {
			if said[from] == "" {
				t.Errorf("words/refusals/%s.yaml: nobody says %q", l.Code, from)
			}
			if want, got := verbsOf(from), verbsOf(to); !slices.Equal(want, got) {
				t.Errorf("words/refusals/%s.yaml: %q takes %v, English %v", l.Code, to, got, want)
			}
			args := make([]any, len(verbsOf(from)))
			for i, v := range verb.FindAllStringSubmatch(strings.ReplaceAll(from, "%%", ""), -1) {
				args[i] = map[string]any{"s": "〇", "q": "〇", "v": "〇", "d": 3, "g": 0.5}[v[2]]
			}
			if got := say.New(from, args...).In(words{l}); english(got) != "" || strings.Contains(got, "%!") {
				t.Errorf("%s: %q is said as %q: %q is English", l.Code, from, got, english(got))
			}
		}
	}
}

// TestArgumentsAreSaidToo: names of ours among the arguments, lists and sentences
// within sentences.
func TestArgumentsAreSaidToo(t *testing.T) {
	t.Parallel()
	against := say.New("it contradicts %s", say.Texts{
		say.New("%s (%s by %s, %s)", "d7", say.Word{Group: "decision", Name: "split"}, "ann", "2026-01-05"),
		say.New("%s (%s by %s, %s)", "d8", say.Word{Group: "decision", Name: "pin"}, "bo", "2026-01-06"),
	})
	tests := []struct {
		said say.Text
		want [3]string
	}{
		{against, [3]string{
			"it contradicts d7 (split by ann, 2026-01-05), d8 (pin by bo, 2026-01-06)",
			"与先前的决定矛盾：d7（拆分，由 ann，2026-01-05）、d8（固定，由 bo，2026-01-06）",
			"與先前的決定矛盾：d7（拆分，由 ann，2026-01-05）、d8（釘選，由 bo，2026-01-06）",
		}},
		{say.New("it cannot be taken back as a whole: %s", say.New("the job is not running")), [3]string{
			"it cannot be taken back as a whole: the job is not running", "无法整体撤回：任务没有在运行", "無法整體撤回：任務沒有在執行",
		}},
		{say.New("%q is no relation of two of kind %s", "x", say.Word{Group: "entity", Name: "person"}), [3]string{
			`"x" is no relation of two of kind person`, `个人之间没有 "x" 这种关系`, `個人之間沒有 "x" 這種關係`,
		}},
		{say.New("a stance is one of %s", say.Words{Group: "stance", Names: []string{"neutral", "opponent"}}), [3]string{
			"a stance is one of neutral, opponent", "立场应为其中之一：中立、反对", "立場應為其中之一：中立、反對",
		}},
		{say.New("%s %s", say.Word{Group: "place", Name: "/phones/0/value"}, say.Word{Group: "reason", Name: "is blank"}), [3]string{
			"/phones/0/value is blank", "电话 1：是空白", "電話 1：是空白",
		}},
	}
	for _, tt := range tests {
		if got := tt.said.String(); got != tt.want[0] {
			t.Errorf("in English it is %q, want %q", got, tt.want[0])
		}
		for i, l := range languages()[1:] {
			if got := tt.said.In(words{l}); got != tt.want[i+1] {
				t.Errorf("%s: %q, want %q", l.Code, got, tt.want[i+1])
			}
		}
	}
}

// TestReasonsAreSaidInEveryLanguage: what the rules really say of bad records, and
// what connectors say of what cannot be read.
func TestReasonsAreSaidInEveryLanguage(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("长", 2001)
	texts := []string{
		`line 120: has 14 columns, the header has 12; a "," inside a value needs quotes around the value`,
		"holds a NUL byte at offset 14257 of the text; remove it where the file is made",
		"line 7: the record is longer than 1048576 bytes; shorten it, or raise max_record", "is a number of more than 400 digits",
		"an earlier record of the same pass has the same id and other content", "id: the record has none", "the record has no id", "is no time we know",
		"is not JSON: want a colon behind the key, at byte 17", "holds bytes that are not UTF-8",
	}
	company, ok := schema.Builtin("company")
	if !ok {
		t.Fatal("no schema of companies")
	}
	for _, doc := range []string{
		`{}`, `{"name":" "}`, `{"name":"x","website":7,"employees":-1,"phones":[{"value":1,"kin":"x"}],"zz":1,"founded":{"date":"x"}}`, `{"name":"x","employees":"many","industry":7}`,
		`{"name":"x","website":"` + long + `","country":"D\u0007E","founded":"last spring"}`, `{"name":"x","founded":{"date":"2001-02-30"}}`, `{"name":"x","founded":{"date":"0999-12-31"}}`,
		`{"name":"x","phones":[` + strings.Repeat(`{"value":"1"},`, 100) + `{"value":"1"}]}`, `{"name":"x"`, `{"name":"x","name":"y"}`, `[]`, `{"name":"x","phone":"1"}`,
		`{"name":"x","revenue":1` + strings.Repeat("0", 500) + `}`, strings.Repeat("[", 200), `{"name":{}}`, `{"name":true,"employees":[]}`,
	} {
		found := company.Validate([]byte(doc))
		if len(found) == 0 {
			t.Errorf("nothing is wrong with %.80s", doc)
		}
		for _, r := range found {
			texts = append(texts, r.Text, r.Remedy)
		}
	}
	values := regexp.MustCompile(`"[^"]*"|company|phones?|(legal_)?name`) // names of fields, where they are to be typed
	for _, l := range languages()[1:] {
		for _, text := range texts {
			got := words{l}.reason(text)
			if left := english(values.ReplaceAllString(got, "")); left != "" {
				t.Errorf("%s: %q is said as %q: %q is English", l.Code, text, got, left)
			}
		}
	}
	if got := (words{languages()[0]}).reason(texts[0]); got != texts[0] {
		t.Errorf("in English it is %q", got)
	}
	if a, b := len(languages()[1].reasons.forms), len(languages()[2].reasons.forms); a != b || len(languages()[1].reasons.exact) != len(languages()[2].reasons.exact) {
		t.Errorf("the languages know %d and %d forms", a, b)
	}
	if _, err := os.Stat("words/reasons/en.yaml"); err == nil {
		t.Error("English has a file of its own: it is said as it comes")
	}
}

// TestTheAPISpeaksTheLanguageAskedFor: what is mounted tells refusals in it.
func TestTheAPISpeaksTheLanguageAskedFor(t *testing.T) {
	h := newHandler(newOffice(), func(o *Options) {
		o.Mount = func(handle func(string, auth.Permission, auth.Narrow, http.HandlerFunc)) {
			handle("GET /api/told", auth.See, auth.NoValues, func(w http.ResponseWriter, r *http.Request) {
				fmt.Fprint(w, say.To(r.Context(), say.New("rules are taken back by changing the configuration back")))
			})
		}
	})
	for accept, want := range map[string]string{
		"": "rules are taken back by changing the configuration back", "fr": "rules are taken back by changing the configuration back",
		"zh-CN, en;q=0.5": "规则须通过改回配置来撤回", "zh-TW": "規則須透過改回設定來撤回",
	} {
		if got := get(t, h, "/api/told", "Accept-Language", accept).Body.String(); got != want {
			t.Errorf("asked for %q it says %q, want %q", accept, got, want)
		}
	}
}
