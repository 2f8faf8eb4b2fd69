package app

import (
	"fmt"
	"strings"

	"touchstone/matching/cluster"
)

// Sentences tells how a golden record came together, in English (en) or
// simplified Chinese (zh): one line for each step.
func (h How) Sentences(lang string) []string {
	say := func(key string, args ...any) string {
		if lang == "zh" {
			return fmt.Sprintf(howTexts[key][1], args...)
		}
		return fmt.Sprintf(howTexts[key][0], args...)
	}
	if len(h.Members) == 1 {
		out := []string{say("alone", h.Golden, h.Members[0])}
		return append(out, h.refusals(lang, say)...)
	}
	out := []string{say("head", h.Golden, len(h.Members), h.Component, h.Link, h.Least)}
	if h.Waiting {
		out = append(out, say("waiting"))
	}
	if h.Raised > 0 {
		out = append(out, say("raised", h.Raised))
	}
	for i, s := range h.Steps {
		if s.Decision != "" {
			out = append(out, say("ruled", i+1, s.A, s.B, s.Decision, few(s.Joined), s.Size))
			continue
		}
		out = append(out, say("step", i+1, s.A, s.B, s.Weight, s.Mean, few(s.Joined), s.Size))
	}
	if h.Weakest != nil {
		out = append(out, say("weakest", h.Weakest.A, h.Weakest.B, h.Weakest.Weight))
	}
	for i, b := range h.Bridges {
		if i == mostTold {
			out = append(out, say("more", len(h.Bridges)-i))
			break
		}
		out = append(out, say("bridge", b.A, b.B, b.Weight))
	}
	if s := h.Split; s != nil {
		key := map[bool]string{true: "split", false: "split at"}[s.Whole]
		out = append(out, say(key, few(s.Side), len(s.Cut), s.Weight, s.Mean), say("do", strings.Join(s.Side[:min(len(s.Side), mostTold)], " "), h.Golden))
	}
	return append(out, h.refusals(lang, say)...)
}

func (h How) refusals(lang string, say func(string, ...any) string) (out []string) {
	for i, r := range h.Refused {
		if i == mostTold {
			return append(out, say("more", len(h.Refused)-i))
		}
		switch {
		case r.Tied != "":
			out = append(out, say("against", r.Golden, r.Tied, r.A, r.B, r.X, r.Y, r.Decision))
		case r.Why == cluster.ByVeto:
			out = append(out, say("veto", r.Golden, r.A, r.B, r.Weight, r.X, r.Y, vetoWord(lang, r.Veto)))
		case r.Why == cluster.ByRuling:
			out = append(out, say("cannot", r.Golden, r.A, r.B, r.Weight, r.X, r.Y, r.Decision))
		default:
			out = append(out, say("mean", r.Golden, r.A, r.B, r.Weight, r.Mean, h.Least))
		}
	}
	return out
}

// mostTold is how many of a kind are told; JSON has all.
const mostTold = 10

// few names the first of a list.
func few(names []string) string {
	if len(names) <= 4 {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s … (%d)", strings.Join(names[:3], ", "), len(names))
}

// howTexts are the sentences in English and in simplified Chinese.
var howTexts = map[string][2]string{
	"alone":    {"%s is one record alone: %s.", "%s 只有一条记录：%s。"},
	"head":     {"%s: %d records, parted together with %d. A link needs %.1f bits, and two groups a mean of %.1f.", "%s：%d 条记录，与共 %d 条记录一起划分。一条联系需 %.1f 比特，两组合并需平均 %.1f 比特。"},
	"waiting":  {"Something has changed since and waits to be resolved: this is how it will be.", "此后有变化等待处理：以下是处理后的结果。"},
	"raised":   {"Too many hang together: the link threshold was raised by %.1f bits.", "相连的记录过多：合并阈值提高了 %.1f 比特。"},
	"step":     {"%d. %s – %s: %.1f bits, mean %.1f; %s joined, %d then.", "%d. %s – %s：%.1f 比特，平均 %.1f；%s 加入，共 %d 条。"},
	"ruled":    {"%d. %s – %s: a person decided so (%s); %s joined, %d then.", "%d. %s – %s：由人工决定（%s）；%s 加入，共 %d 条。"},
	"weakest":  {"Weakest link that it needs: %s – %s, %.1f bits.", "所依赖的最弱联系：%s – %s，%.1f 比特。"},
	"bridge":   {"Bridge, without which it parts: %s – %s, %.1f bits.", "桥，去掉即分开：%s – %s，%.1f 比特。"},
	"split":    {"Where it would part first: %s; links cut: %d, %.1f bits together; all pairs across weigh %.1f on average.", "最易分开之处：%s；%d 条联系共 %.1f 比特，两侧所有配对平均 %.1f 比特。"},
	"split at": {"Where it would part at its weakest link: %s; links cut: %d, %.1f bits together; pairs across weigh %.1f on average.", "在最弱联系处分开：%s；%d 条联系共 %.1f 比特，两侧配对平均 %.1f 比特。"},
	"do":       {"If that is right: touchstone split %s --from %s", "若确应分开：touchstone split %s --from %s"},
	"veto":     {"Not united with %s, though %s – %s weigh %.1f bits: %s and %s have %s.", "未与 %s 合并，尽管 %s – %s 为 %.1f 比特：%s 与 %s %s。"},
	"cannot":   {"Not united with %s, though %s – %s weigh %.1f bits: a person keeps %s and %s apart (%s).", "未与 %s 合并，尽管 %s – %s 为 %.1f 比特：人工决定 %s 与 %s 分开（%s）。"},
	"mean":     {"Not united with %s, though %s – %s weigh %.1f bits: all pairs across weighed %.1f on average, %.1f are needed.", "未与 %s 合并，尽管 %s – %s 为 %.1f 比特：两组之间所有配对平均 %.1f 比特，需要 %.1f。"},
	"against":  {"Not united with %s, though %s ties %s and %s: a person keeps %s and %s apart (%s).", "未与 %s 合并，尽管 %s 将 %s 与 %s 相连：人工决定 %s 与 %s 分开（%s）。"},
	"more":     {"… and %d more.", "……另有 %d 条。"},
}
