package web

import (
	"strings"
	"testing"
)

// TestMarksStandWhereOneDecides: on the pair, the customer and the field, in
// three languages, each below the value it is about.
func TestMarksStandWhereOneDecides(t *testing.T) {
	h := newHandler(newOffice(), nil)
	tests := []struct{ page, lang, want string }{
		{"/review/1-2", "en", `<bdi class="entry"><span class="eq">1</span></bdi><span class="oddity">This is no phone number.</span>`},
		{"/review/1-2", "en", `<span class="oddity">The check digit does not fit: 8 was expected, 3 stands there.</span>`},
		{"/review/1-2", "zh-Hans", `<span class="oddity">校验位不符：应为 8，实为 3。</span>`},
		{"/review/1-2", "zh-Hant", `<span class="oddity">檢查碼不符：應為 8，實為 3。</span>`},
		{"/customers/" + acmeID, "en", `<span class="oddity"><bdi>91350100M000100Y44</bdi>: The check digit does not fit: 3 was expected, 4 stands there.</span>`},
		{"/customers/" + acmeID, "zh-Hans", `<bdi>91350100M000100Y44</bdi>：校验位不符：应为 3，实为 4。`},
		{"/customers/g1/fields/name", "en", `<span class="oddity">This is no phone number.</span>`},
		{"/customers/g1/fields/name", "zh-Hant", `<span class="oddity">這不是電話號碼。</span>`},
	}
	for _, tt := range tests {
		if body := get(t, h, tt.page+"?lang="+tt.lang).Body.String(); strings.Count(body, tt.want) != 1 {
			at := strings.Index(body, "oddity")
			t.Errorf("%s in %s does not have %s once; first mark: %.200s", tt.page, tt.lang, tt.want, body[max(at-80, 0):])
		}
	}
}

func TestEveryMarkHasWords(t *testing.T) {
	for _, l := range languages() {
		for _, text := range []string{
			"check digit wrong", "not nine digits", "not eight characters", "role address", "domain without a dot", "not an email address", "not a phone number",
			"not a possible phone number", "not a web address", "a platform that many share", "not a number", "not a date", "lunar date", "day and month swapped", "year of two digits",
		} {
			if got := (words{l}).mark(Mark{Text: text}); got == text {
				t.Errorf("%s has no words for %q", l.Code, text)
			}
		}
	}
}
