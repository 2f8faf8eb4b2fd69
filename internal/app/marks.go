package app

import (
	"fmt"
	"slices"
	"strings"

	"touchstone/internal/golden"
	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/web"
	"touchstone/matching"
)

// oddities notes what is odd about a record's values, field by field. fields are the
// values as they are: what a mask leaves of one would look odd, and a mark tells
// of what it keeps back.
func (a *App) oddities(see sight, entity string, fields record.Fields) map[string][]web.Mark {
	var shape matching.Shape
	if e := a.entityNamed(entity); e != nil {
		shape = e.shape
	}
	var out map[string][]web.Mark
	for _, m := range matching.MarksOf(entity, shape, fields) {
		if see.masked(entity, m.Field) != "" {
			continue
		}
		if out == nil {
			out = map[string][]web.Mark{}
		}
		mark := web.Mark{Entry: m.Index, Text: m.Text, Wants: m.Wants, Has: m.Has}
		if v := fields[m.Field]; v.Kind == record.List && len(v.Points) > 1 && m.Index < len(v.Points) {
			mark.Value = showPoint(v.Points[m.Index])
		}
		out[m.Field] = append(out[m.Field], mark)
	}
	return out
}

// ShownMark is a note on one value of a source record.
type ShownMark struct {
	Record string `json:"record"`
	Field  string `json:"field"`
	Entry  int    `json:"entry"` // which of several values, from 0
	Mark   string `json:"mark"`
	Wants  string `json:"wants,omitempty"` // the check digit that was expected
	Has    string `json:"has,omitempty"`   // the one that stands there
}

// marks notes what is odd about the values of the two records that were weighed.
func (q *question) marks(see sight, w *Why) error {
	members := slices.Concat(q.s.members, q.t.members) // of one customer: both times the same
	for _, name := range slices.Compact([]string{w.Pair.A, w.Pair.B}) {
		i := slices.IndexFunc(members, func(m store.Member) bool { return q.a.refName(m.Ref) == name })
		if i < 0 {
			continue
		}
		authored, err := golden.ParseAuthored(members[i].Authored)
		if err != nil {
			return fmt.Errorf("values of %s: %w", members[i].Ref, err)
		}
		fields := authored.Fields()
		of := q.a.oddities(see, q.e.name, fields)
		for _, field := range fields.Names() {
			for _, k := range of[field] {
				w.Marks = append(w.Marks, ShownMark{Record: name, Field: field, Entry: k.Entry, Mark: k.Text, Wants: k.Wants, Has: k.Has})
			}
		}
	}
	return nil
}

// Sentence says in words what is odd; lang is en or zh.
func (m ShownMark) Sentence(lang string) string {
	texts, ok := markTexts[m.Mark]
	if !ok {
		return ""
	}
	if m.Wants != "" {
		texts = markTexts["check digit expected"]
	}
	i := 0
	if lang == "zh" {
		i = 1
	}
	text := texts[i]
	if m.Wants != "" {
		text = fmt.Sprintf(text, m.Wants, m.Has)
	}
	field := MatchWord(lang, strings.ReplaceAll(m.Field, "_", " "))
	if m.Entry > 0 {
		field = fmt.Sprintf("%s %d", field, m.Entry+1)
	}
	return fmt.Sprintf([2]string{"%s, %s: %s.", "%s 的%s：%s。"}[i], m.Record, field, text)
}

// markTexts are the marks in English and in simplified Chinese.
var markTexts = map[string][2]string{
	"check digit expected":        {"the check digit does not fit, %s was expected and %s stands there", "校验位不符，应为 %s，实为 %s"},
	"check digit wrong":           {"the check digit does not fit", "校验位不符"},
	"not nine digits":             {"it should have nine digits", "应为九位数字"},
	"not eight characters":        {"it should have eight characters", "应为八位字符"},
	"role address":                {"the address is a function's and not a person's", "这是岗位邮箱，不属于个人"},
	"domain without a dot":        {"the domain has no dot", "域名中没有点"},
	"not an email address":        {"it is no email address", "不是邮箱地址"},
	"not a phone number":          {"it is no phone number", "不是电话号码"},
	"not a possible phone number": {"no number of this country looks so", "不符合该国号码规则"},
	"not a web address":           {"it is no web address", "不是网址"},
	"a platform that many share":  {"the address names a platform and nobody on it", "网址只到平台，未指明店铺"},
	"not a number":                {"it is no number", "不是数字"},
	"not a date":                  {"it is no date", "不是日期"},
	"lunar date":                  {"it is a date of the lunar calendar", "这是农历日期"},
	"day and month swapped":       {"day and month are swapped", "日与月颠倒"},
	"year of two digits":          {"the year has two digits, the century is a guess", "年份只有两位，世纪为推测"},
}
