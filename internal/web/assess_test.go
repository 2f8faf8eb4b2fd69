package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"strings"
	"testing"
)

func TestAReportNeedsNothingBesideItself(t *testing.T) {
	a := Assessment{
		Name: "<b>list</b>.csv", Entity: "company", At: testNow, Rows: 5, Found: true, Score: Score{Score: 81.2, Completeness: 1, Validity: 0.5, Uniqueness: 0.8},
		Columns:  []AssessColumn{{Name: "phone <i>", Meaning: "phones", Check: "phone", FieldFigures: figuresOf(4, 1, 1), Shapes: []Count{{"+99", 3}}}},
		Customer: AssessCustomers{Duplicates: 1, Clusters: 4, Twice: 1, Doubtful: 2, Examples: []AssessExample{{0.99, []string{"name", "phone"}, [][]string{{"A••", "<x>"}, {"A••", ""}}}}, Shared: []AssessShared{{"phone", "••01", 9}}},
		Work:     []AssessWork{{"duplicates", 20, 180}, {"doubtful", 2, 30}}, PerHour: 60, Currency: "EUR",
	}
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`)
	for _, code := range Languages() {
		var b bytes.Buffer
		if err := WriteAssessment(&b, a, code); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		checkHTML(t, "the report in "+code, text)
		css := style.FindStringSubmatch(text)
		if css == nil {
			t.Fatal("the report has no style")
		}
		sum := sha256.Sum256([]byte(css[1]))
		if want := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(strings.ReplaceAll(text, "&#43;", "+"), strings.ReplaceAll(want, "'", "&#39;")) && !strings.Contains(text, want) {
			t.Errorf("%s: the policy does not let the report's own style: want %s", code, want)
		}
		for _, bad := range []string{"<script", "http://", "https://", "<b>list", "<i>", "<x>", "%!", "ZgotmplZ", "src="} {
			if strings.Contains(strings.Replace(text, css[1], "", 1), bad) {
				t.Errorf("%s: the report carries %q", code, bad)
			}
		}
		for _, want := range []string{"81.2", "••01", "61\u202fEUR"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: the report lacks %q", code, want)
			}
		}
	}
	if err := WriteAssessment(&bytes.Buffer{}, a, "xx"); err == nil {
		t.Error("a report in no language")
	}
}
