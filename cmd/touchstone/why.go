package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"touchstone/internal/app"
	"touchstone/matching"
)

func (c *cli) whyCmd() *cobra.Command {
	var lang string
	cmd := &cobra.Command{
		Use: "why A B", Short: "Say why two records are one customer or not, and what would turn it", Args: args(cobra.ExactArgs(2)),
		Long: "Say why two golden records or source records are one customer or not: the weight part by part, the decision, veto or\nrule that decided, the links through others, and what would turn it.",
		RunE: c.withApp(func(ctx context.Context, a *app.App, n []string) error {
			if lang == "" {
				lang = systemLang()
			}
			if err := oneOf("--lang", lang, []string{"en", "zh"}); err != nil {
				return err
			}
			w, err := a.Why(ctx, n[0], n[1])
			if err != nil {
				return err
			}
			if err := c.saw(ctx, a, "why", w.GoldenA, w.GoldenB); err != nil {
				return err
			}
			return c.print(w, func() { c.why(w, lang) })
		}),
	}
	cmd.Flags().StringVar(&lang, "lang", "", "en or zh; without it, by LANG")
	return cmd
}

// systemLang is the language that the terminal asks for.
func systemLang() string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := lookupEnv(name); v != "" {
			if strings.HasPrefix(v, "zh") {
				return "zh"
			}
			return "en"
		}
	}
	return "en"
}

func (c *cli) why(w app.Why, lang string) {
	for _, s := range w.Sentences(lang) {
		fmt.Fprintln(c.out, plain(s))
	}
	if len(w.Pair.Parts) == 0 {
		return
	}
	var rows [][]any
	bars, totals := waterfall(w.Pair.Parts, w.Link)
	for i, p := range w.Pair.Parts {
		rows = append(rows, []any{app.MatchWord(lang, p.Field), app.MatchWord(lang, p.Level), p.A, p.B, fmt.Sprintf("%+.1f", float64(p.Weight)/1000), totals[i], bars[i]})
	}
	head := []string{"field", "level", w.Pair.A, w.Pair.B, "bits", "total", "| is the threshold"}
	total, p := "total", "p = "
	if lang == "zh" {
		total, p = "合计", "概率 "
		head = []string{"字段", "比较结果", w.Pair.A, w.Pair.B, "比特", "合计", "| 为合并阈值"}
	}
	rows = append(rows, []any{total, p + fmt.Sprintf("%.4f", w.Pair.Probability), "", "", "", fmt.Sprintf("%+.1f", w.Pair.Weight), ""})
	c.table(head, rows)
	c.missed(w, lang)
}

// missed shows by which keys the two could have been found.
func (c *cli) missed(w app.Why, lang string) {
	if len(w.Missed) == 0 {
		return
	}
	var rows [][]any
	for _, m := range w.Missed {
		rows = append(rows, []any{m.Rule, strings.Join(m.A, "; "), strings.Join(m.B, "; ")})
	}
	head := []string{"key, none in common", w.Pair.A, w.Pair.B}
	if lang == "zh" {
		head[0] = "分块键（无一相同）"
	}
	c.table(head, rows)
}

// fallWidth is how many characters the chart of a weight is wide.
const fallWidth = 32

// waterfall draws each part of a weight from where those before it ended to
// where it ends, with the threshold as a line, and gives the running totals.
func waterfall(parts []matching.Part, threshold float64) (bars, totals []string) {
	low, high, sum := min(0, threshold), max(0, threshold), 0.0
	for _, p := range parts {
		sum += float64(p.Weight) / 1000
		low, high = min(low, sum), max(high, sum)
	}
	at := func(v float64) int { return int((v - low) / max(high-low, 0.001) * (fallWidth - 1)) }
	sum = 0
	for _, p := range parts {
		from := sum
		sum += float64(p.Weight) / 1000
		mark := '█'
		if p.Weight < 0 {
			mark = '░'
		}
		line := []rune(strings.Repeat(" ", fallWidth))
		for i := at(min(from, sum)); i <= at(max(from, sum)); i++ {
			line[i] = mark
		}
		if i := at(threshold); line[i] == ' ' {
			line[i] = '|'
		}
		bars, totals = append(bars, strings.TrimRight(string(line), " ")), append(totals, fmt.Sprintf("%+.1f", sum))
	}
	return bars, totals
}
