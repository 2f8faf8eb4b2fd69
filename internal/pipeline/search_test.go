package pipeline

import (
	"fmt"
	"testing"

	"touchstone/internal/record"
)

func TestQuestionInTerms(t *testing.T) {
	tests := []struct{ text, want, name string }{
		{"", "[]", ""},
		{"  !!! ", "[]", ""},
		{"上海美躍", "[[上海美跃]]", "上海美跃"},
		{"3M中国 Ltd.", "[[3m] [中国] [ltd]]", "3m中国 ltd"},
		{"ＡＣＭＥ", "[[acme]]", "acme"},
		{"Müller & Söhne", "[[muller] [sohne]]", "muller & sohne"},
		{"021-6888 0102", "[[2168880102 ~2010888612]]", ""},
		{"+86 (21) 6888", "[[86216888 ~88861268]]", ""},
		{"acme 68880102", "[[acme] [68880102 ~20108886]]", "acme 68880102"},
		{"Info@Meiyue.CN", "[[info@meiyue.cn]]", "info meiyue cn"},
		{"https://www.meiyue.cn/about?x", "[[meiyue.cn]]", "https www meiyue cn about x"},
		{"meiyue.cn", "[[meiyue meiyue.cn] [cn meiyue.cn]]", "meiyue cn"},
		{"E.U.R.L.", "[[e e.u.r.l] [u e.u.r.l] [r e.u.r.l] [l e.u.r.l]]", "e u r l"},
		{"a b c d e f g h i j", "[[a] [b] [c] [d] [e] [f] [g] [h]]", "a b c d e f g h i j"},
	}
	for _, tt := range tests {
		terms, name := Question(tt.text)
		if got := fmt.Sprint(terms); got != tt.want || name != tt.name && tt.want != "[]" {
			t.Errorf("Question(%q) = %s, %q, want %s, %q", tt.text, got, name, tt.want, tt.name)
		}
	}
}

func TestSearchTextOfARecord(t *testing.T) {
	f := record.Fields{
		"name":   record.TextValue("上海美躍包裝"),
		"emails": record.ListValue(record.Point{Value: "Info@Meiyue.cn"}, record.Point{Value: "li@gmail.com"}),
		"phones": record.ListValue(record.Point{Value: "+86 21 6888 0102 转 12"}),
		"ids":    record.ListValue(record.Point{Value: "9131-0101", Parts: map[string]string{"scheme": "uscc"}}),
	}
	got := searchText(record.Company, f, []string{"desk", "crm", "desk"})
	if got.Name != "上海美跃包装" || got.Words != " info@meiyue.cn meiyue.cn li@gmail.com ~2010888612"+"68 9131 0101" || fmt.Sprint(got.Sources) != "[crm desk]" {
		t.Errorf("searchText = %+v", got)
	}
	person := record.Fields{"given_name": record.TextValue("伟"), "family_name": record.TextValue("李")}
	if got := searchText(record.Person, person, nil); got.Name != "李伟" {
		t.Errorf("a Chinese person is called %q, want 李伟", got.Name)
	}
	nameless := record.Fields{"title": record.TextValue("CFO")}
	for entity, want := range map[string]string{record.Person: "", "vehicle": "cfo"} {
		if got := searchText(entity, nameless, nil); got.Name != want {
			t.Errorf("a %s with a title alone is called %q, want %q", entity, got.Name, want)
		}
	}
}
