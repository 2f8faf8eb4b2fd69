package app

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"touchstone/matching"
)

// Sentences says in words what decided and what would turn it, for people; lang
// is en or zh.
func (w Why) Sentences(lang string) []string {
	say := func(key string, args ...any) string {
		texts := whyTexts[key]
		if lang == "zh" {
			return fmt.Sprintf(texts[1], args...)
		}
		return fmt.Sprintf(texts[0], args...)
	}
	out := []string{say(map[bool]string{true: "same", false: "apart"}[w.Same], w.Pair.A, w.Pair.B)}
	if s := w.Pair.Sentence(lang); s != "" && w.Decided != ByWaiting {
		out = append(out, s)
	}
	for _, m := range w.Marks {
		if s := m.Sentence(lang); s != "" {
			out = append(out, s)
		}
	}
	switch w.Decided {
	case ByRuling:
		for _, d := range w.Rulings {
			out = append(out, say("ruling", d.Who, day(d.At), d.Kind, d.ID, d.Why), say("undo", d.ID))
		}
	case ByLink:
		out = append(out, say("link", w.Pair.Weight, w.Link))
		if len(w.Also) > 0 {
			out = append(out, say("also", steps(w.Also)))
		}
	case ByPath:
		out = append(out, say("path", steps(w.Path)))
	case ByWeight:
		key := "weight"
		if w.Pair.Weight >= w.Review {
			key = "review"
		}
		out = append(out, say(key, w.Pair.Weight, w.Link, w.Review))
		if len(w.Missed) > 0 {
			out = append(out, say("uncompared"))
		}
		if w.Veto != "" {
			out = append(out, say("veto", w.VetoA, w.VetoB, vetoWord(lang, w.Veto)))
		}
	case ByVeto:
		out = append(out, say("veto", w.VetoA, w.VetoB, vetoWord(lang, w.Veto)), say("veto turns"))
	case ByMean:
		out = append(out, say("mean", w.Pair.Weight, w.Mean, w.MeanLeast), say("merge"))
	case ByKeys:
		key := "keys"
		if len(w.Pair.Shared) > 0 {
			key = "crowded"
		}
		out = append(out, say(key, w.Pair.Weight), say("merge"))
	default:
		out = append(out, say("waiting"))
	}
	if w.Decided == ByLink || w.Decided == ByPath || w.Decided == ByWeight {
		if len(w.Flips) == 0 {
			out = append(out, say(map[bool]string{true: "split", false: "merge"}[w.Same]))
		}
		for i, f := range w.Flips {
			if i == 3 {
				break
			}
			out = append(out, say("flip", w.FlipA, w.FlipB, MatchWord(lang, f.Field), MatchWord(lang, f.From), MatchWord(lang, f.To), f.Weight))
		}
	}
	return out
}

// day cuts a stored time to its day.
func day(at string) string { return at[:min(len(at), 10)] }

func steps(path []PathStep) string {
	var b strings.Builder
	for i, s := range path {
		if i == 0 {
			b.WriteString(s.A)
		}
		if s.Decision != "" {
			fmt.Fprintf(&b, " –[%s]– %s", s.Decision, s.B)
		} else {
			fmt.Fprintf(&b, " –(%.1f)– %s", s.Weight, s.B)
		}
	}
	return b.String()
}

// whyTexts are the sentences in English and in simplified Chinese.
var whyTexts = map[string][2]string{
	"same":       {"%s and %s are one customer.", "%s 与 %s 是同一客户。"},
	"apart":      {"%s and %s are two customers.", "%s 与 %s 是两个客户。"},
	"ruling":     {"A person decided so: %s on %s (%s, decision %s) %s", "由人工决定：%s，%s（%s，决定 %s）%s"},
	"undo":       {"It would be left to the evidence after: touchstone undo %s", "撤销该决定后将由证据决定：touchstone undo %s"},
	"link":       {"What the two records say weighs %.1f bits; %.1f are enough.", "两条记录的证据权重为 %.1f 比特，达到 %.1f 即可合并。"},
	"also":       {"They would stay together without it, through %s.", "即使没有这条直接联系，它们仍会通过以下联系在一起：%s。"},
	"path":       {"They are tied through others: %s", "它们通过其他记录相连：%s"},
	"weight":     {"The best pair between them weighs %.1f bits; %.1f are needed, %.1f for a person to be asked.", "两者之间最强的一对权重为 %.1f 比特；合并需要 %.1f，人工复核需要 %.1f。"},
	"review":     {"The best pair between them weighs %.1f bits; %.1f are needed. From %.1f on a person is asked.", "两者之间最强的一对权重为 %.1f 比特；合并需要 %.1f。自 %.1f 起交人工复核。"},
	"veto":       {"Hard evidence stands against it: %s and %s have %s.", "有确凿的反证：%s 与 %s %s。"},
	"veto turns": {"It would turn if one of these values were corrected at its source, or by a merge decision.", "若在来源处更正其中一个值，或人工决定合并，结果就会改变。"},
	"mean":       {"The best pair weighs %.1f bits, but all pairs across the two weigh %.1f on average; %.1f are needed.", "最强的一对权重为 %.1f 比特，但两组之间所有配对的平均权重为 %.1f，需要 %.1f。"},
	"keys":       {"They were never compared: they share no key, though the pair would weigh %.1f bits.", "它们从未比较过：没有共同的分块键，尽管这一对的权重会是 %.1f 比特。"},
	"crowded":    {"They were never compared, though the pair would weigh %.1f bits: what they share too many others have too, and the narrower keys below it differ.", "它们从未比较过，尽管这一对的权重会是 %.1f 比特：它们共有的值被太多记录使用，其下更细的键又不相同。"},
	"uncompared": {"They share no key, so the resolver never compared them; it was done for this answer.", "它们没有共同的分块键，因此从未比较过；以上是为本次查询计算的。"},
	"waiting":    {"They wait to be resolved: ask again after the next run.", "它们正等待处理：下次运行后再查询。"},
	"merge":      {"No single field would turn it; a merge decision does.", "没有任何单个字段能改变结果；人工合并可以。"},
	"split":      {"No single field would turn it; a split decision does.", "没有任何单个字段能改变结果；人工拆分可以。"},
	"flip":       {"It would turn if, between %s and %s, %s were not “%[4]s” but “%[5]s” (%.1[6]f bits).", "若 %s 与 %s 的%s不是“%[4]s”而是“%[5]s”（%.1[6]f 比特），结果就会改变。"},
}

// MatchWord is the name of a compared field or of one of its levels; lang is en
// or zh.
func MatchWord(lang, word string) string {
	if zh, ok := matchWords[word]; ok && lang == "zh" {
		return zh
	}
	return word
}

var matchWords = map[string]string{
	"the value is rare": "该值罕见", "the value is common": "该值常见", "prior": "先验", "any two records": "任意两条记录",
	"name": "名称", "trade": "行业词", "branch": "分支", "name place": "名称中的地名", "legal form": "组织形式", "ids": "证件号码",
	"phones": "电话", "web": "网址", "addresses": "地址", "country": "国家", "family name": "姓", "given name": "名", "middle name": "中间名",
	"name order": "姓名顺序", "birth date": "出生日期", "emails": "邮箱", "employer": "雇主", "website": "网站",
	"missing": "缺失", "same": "相同", "different": "不同", "same reading": "读音相同", "nearly same": "几乎相同", "contained": "包含",
	"acronym": "缩写", "alike": "相似", "same address": "网址相同", "same domain": "域名相同", "nearly same domain": "域名几乎相同",
	"same, shared": "相同（多家共用）", "same district": "同一区县", "same building": "同一建筑", "same street": "同一街道", "same postcode": "同一邮编", "same city": "同一城市", "same city, another street": "同一城市，街道不同",
	"another of the group": "同一集团的另一公司",
	"same, one character":  "相同（单字）", "nickname": "昵称", "initial": "首字母", "straight": "顺序一致", "swapped": "顺序颠倒",
	"day and month swapped": "日月颠倒", "one slip": "一处笔误", "close": "相近", "same year": "同年", "same local part": "用户名相同",
	"same words": "词相同", "another number": "编号不同", "within 1 %": "相差不到 1%", "within 5 %": "相差不到 5%",
	"alike, made from the name": "相似（由姓名构成）", "same own domain": "自有域名相同", "same page": "同一平台上的同一店铺或主页",
}

// vetoWord translates the grounds of a veto.
func vetoWord(lang, text string) string {
	if lang != "zh" {
		return text
	}
	switch text {
	case "different generation suffix":
		return "辈分后缀不同"
	case "another branch":
		return "属于不同的分支机构"
	case "another company of the group":
		return "是同一集团的不同公司"
	case "birth dates far apart":
		return "出生日期相差过大"
	case "different entity types":
		return "实体类型不同"
	}
	if scheme, ok := strings.CutPrefix(text, "different "); ok {
		return "的 " + strings.TrimSuffix(scheme, " numbers") + " 号码不同"
	}
	return text
}

// mostNamed is how many parts of a weight one sentence names for and against.
const mostNamed = 3

// Sentence says in plain words what speaks for a pair and what against it, the
// strongest first; lang is en or zh. It is empty where nothing was compared.
func (e Explained) Sentence(lang string) string {
	var with, against []matching.Part
	for _, p := range e.Parts {
		switch {
		case p.Field == "prior":
		case p.Weight > 0:
			with = append(with, p)
		case p.Weight < 0:
			against = append(against, p)
		}
	}
	list := func(parts []matching.Part) string {
		slices.SortStableFunc(parts, func(x, y matching.Part) int { return cmp.Compare(abs(y.Weight), abs(x.Weight)) })
		var out []string
		for _, p := range parts[:min(len(parts), mostNamed)] {
			if lang == "zh" {
				out = append(out, fmt.Sprintf("%s%s（%+.1f）", MatchWord(lang, p.Field), MatchWord(lang, p.Level), bits(p.Weight)))
			} else {
				out = append(out, fmt.Sprintf("%s %s (%+.1f)", p.Field, p.Level, bits(p.Weight)))
			}
		}
		if lang == "zh" {
			return strings.Join(out, "、")
		}
		return strings.Join(out, ", ")
	}
	texts := [3]string{"For it: %s. Against it: %s.", "For it: %s. Nothing against it.", "Nothing for it. Against it: %s."}
	if lang == "zh" {
		texts = [3]string{"支持的证据：%s。反对的证据：%s。", "支持的证据：%s。没有反对的证据。", "没有支持的证据。反对的证据：%s。"}
	}
	switch {
	case len(with) > 0 && len(against) > 0:
		return fmt.Sprintf(texts[0], list(with), list(against))
	case len(with) > 0:
		return fmt.Sprintf(texts[1], list(with))
	case len(against) > 0:
		return fmt.Sprintf(texts[2], list(against))
	}
	return ""
}

func abs(w int32) int32 { return max(w, -w) }
