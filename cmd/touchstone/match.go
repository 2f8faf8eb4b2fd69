package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"touchstone/internal/app"
	"touchstone/internal/lookup"
	"touchstone/internal/record"
)

// maxQuestionFile bounds a question's file, in bytes.
const maxQuestionFile = 1 << 20

type matchFlags struct {
	entity, from, lang string
	limit              int
}

func (c *cli) matchCmd() *cobra.Command {
	var f matchFlags
	cmd := &cobra.Command{
		Use: "match FIELD=VALUE…", Short: "Say whether a customer is already there, before it is entered",
		Long: `match weighs one record against all there are, in every system, and stores nothing. A field may be repeated; a part of one
is named with a point: address.city=Leeds, id.uscc=91310000MA1K3XYZ0Q. --from reads the JSON that POST /api/match takes.
It ends with 1 when a candidate is the same customer or may be.`,
		Example: `  touchstone match name="Acme Ltd" phone="+44 20 7946 0001"
  touchstone match --entity person full_name=张伟 phone=13800138000`,
		Args: cobra.ArbitraryArgs,
		RunE: c.withApp(func(ctx context.Context, a *app.App, given []string) error { return c.match(ctx, a, given, f) }),
	}
	fl := cmd.Flags()
	fl.StringVar(&f.entity, "entity", record.Company, "what it is: company, person, or an entity type of the configuration")
	fl.StringVar(&f.from, "from", "", "read the question from a JSON file; - for standard input")
	fl.IntVar(&f.limit, "limit", lookup.DefaultLimit, "how many candidates at most")
	fl.StringVar(&f.lang, "lang", "", "en or zh; without it, by LANG")
	return cmd
}

func (c *cli) match(ctx context.Context, a *app.App, given []string, f matchFlags) error {
	if f.lang == "" {
		f.lang = systemLang()
	}
	if err := oneOf("--lang", f.lang, []string{"en", "zh"}); err != nil {
		return err
	}
	q, err := readMatch(given, f, a.OwnFields())
	if err != nil {
		return err
	}
	q.All = true // who reads the store's file sees it whole anyway
	answer, err := a.LookUp(ctx, q)
	if err != nil {
		return err
	}
	if err := c.saw(ctx, a, "match", eachOf(answer.Candidates, func(x lookup.Candidate) []string { return []string{x.Golden} })...); err != nil {
		return err
	}
	if err := c.print(answer, func() { c.matched(answer, f.lang) }); err != nil {
		return err
	}
	for _, x := range answer.Candidates {
		if x.Verdict != lookup.No {
			return errPerson
		}
	}
	return nil
}

// readMatch reads the question from the command line or a file.
func readMatch(given []string, f matchFlags, own lookup.Own) (q lookup.Query, err error) {
	if f.limit < 1 || f.limit > lookup.MaxLimit {
		return q, usageError{fmt.Errorf("--limit is %d, want 1 to %d", f.limit, lookup.MaxLimit)}
	}
	if f.from == "" {
		if err := oneOf("--entity", f.entity, own.Entities()); err != nil {
			return q, err
		}
		q = lookup.Query{Entity: f.entity, Limit: f.limit}
		if len(given) == 0 {
			return q, usageError{hinted{errors.New("there is nothing to look for"), `touchstone match name="Acme Ltd"`}}
		}
		if q.Fields, err = own.FromArgs(f.entity, given); err != nil {
			return q, usageError{err}
		}
		return q, nil
	}
	if len(given) > 0 {
		return q, usageError{errors.New("both --from and FIELD=VALUE are given; keep one")}
	}
	raw, err := readQuestionFile(f.from)
	if err != nil {
		return q, err
	}
	if err := lookup.Shallow(raw); err != nil {
		return q, usageError{err}
	}
	obj, err := record.DecodeObject(raw)
	if err != nil {
		return q, usageError{fmt.Errorf("%s: %w", f.from, err)}
	}
	if q, err = own.Read("", obj); err != nil {
		return q, usageError{fmt.Errorf("%s: %w", f.from, err)}
	}
	return q, nil
}

func readQuestionFile(name string) (raw []byte, err error) {
	var in io.ReadCloser = os.Stdin
	if name != "-" {
		if in, err = openFile(name); err != nil {
			return nil, usageError{fmt.Errorf("read the question: %w", err)}
		}
		defer in.Close()
	}
	if raw, err = io.ReadAll(io.LimitReader(in, maxQuestionFile+1)); err != nil {
		return nil, fmt.Errorf("read the question: %w", err)
	}
	if len(raw) > maxQuestionFile {
		return nil, usageError{fmt.Errorf("%s is larger than %d KiB", name, maxQuestionFile>>10)}
	}
	return raw, nil
}

// matched shows an answer to people: a sentence and the waterfall of each.
func (c *cli) matched(a lookup.Answer, lang string) {
	zh := lang == "zh"
	say := func(en, chinese string) string {
		if zh {
			return chinese
		}
		return en
	}
	if len(a.Candidates) == 0 {
		fmt.Fprintln(c.out, say("nobody is like this", "没有相似的客户"))
	}
	for i, x := range a.Candidates {
		words := x.Words.En
		if zh {
			words = x.Words.Zh
		}
		id := x.Golden
		if id == "" {
			id = strings.Join(x.Records, " ")
		}
		fmt.Fprintf(c.out, "%s  %s  %s\n", plain(id), plain(x.Name), plain(strings.Join(x.Records, " ")))
		fmt.Fprintln(c.out, plain(words))
		if i > 0 && x.Verdict == lookup.No {
			continue // somebody else: the sentence will do
		}
		var rows [][]any
		for _, p := range x.Parts {
			field, level := p.Field, p.Level
			if zh {
				field, level = p.Zh.Field, p.Zh.Level
			}
			rows = append(rows, []any{field, level, p.Given, p.Found, fmt.Sprintf("%+.1f", p.Weight)})
		}
		rows = append(rows, []any{say("total", "合计"), say("p = ", "概率 ") + fmt.Sprintf("%.4f", x.Probability), "", "", fmt.Sprintf("%+.1f", x.Weight)})
		c.table([]string{say("field", "字段"), say("level", "比较结果"), say("asked", "查询值"), say("there", "已有值"), say("bits", "比特")}, rows)
	}
	if len(a.Common) > 0 {
		fmt.Fprintln(c.out, say("too common to find anybody by alone: ", "过于常见，无法单独用于查找：")+strings.Join(a.Common, ", "))
	}
	if a.Cut {
		fmt.Fprintln(c.out, say("more records are alike than were compared; give more fields", "相似记录过多，未全部比较；请提供更多字段"))
	}
	if a.Incomplete {
		fmt.Fprintln(c.out, say("records are being taken in; not everybody can be found yet", "记录正在载入，可能尚不能全部查到"))
	}
}
