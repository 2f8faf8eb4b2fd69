package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"touchstone/internal/app"
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
			var no *app.Unclear
			if errors.As(err, &no) {
				return usageError{err}
			}
			if err != nil {
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
	for _, p := range w.Pair.Parts {
		rows = append(rows, []any{app.MatchWord(lang, p.Field), app.MatchWord(lang, p.Level), p.A, p.B, fmt.Sprintf("%+.1f", float64(p.Weight)/1000)})
	}
	head := []string{"field", "level", w.Pair.A, w.Pair.B, "bits"}
	if lang == "zh" {
		head = []string{"字段", "比较结果", w.Pair.A, w.Pair.B, "比特"}
	}
	rows = append(rows, []any{"", "", "", fmt.Sprintf("%.4f", w.Pair.Probability), fmt.Sprintf("%+.1f", w.Pair.Weight)})
	c.table(head, rows)
}
