package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"touchstone/internal/app"
	"touchstone/rules/text"
)

// longestText bounds the file that is looked through at once.
const longestText = 64 << 20

// placed is a finding with its place for people.
type placed struct {
	Line   int    `json:"line"`
	Column int    `json:"column"` // in characters
	Is     string `json:"is"`
	text.Finding
}

func (c *cli) textCmd() *cobra.Command {
	var entity, source string
	var limit int
	cmd := &cobra.Command{
		Use: "text [FILE|-]", Short: "Find what does not belong in a text: scraping marks, hidden characters, a wrong encoding", Args: args(cobra.MaximumNArgs(1)),
		Long: `Find what does not belong in a text: hexadecimal digits that spell words, a site's name dropped in character by character,
characters that show nothing, control characters, text read in a wrong encoding, the same advert under many lines.
FILE is a text in UTF-8, - the standard input. With --entity the texts of all source records are looked through instead.
Nothing is changed. The exit code is 1 when something was found.`,
		RunE: func(cmd *cobra.Command, names []string) error {
			switch {
			case len(names) == 0 && entity == "":
				return usageError{errors.New("say the FILE to look through, - for the standard input, or --entity")}
			case len(names) == 1 && entity != "":
				return usageError{errors.New("a FILE or --entity, not both")}
			case limit < 1:
				return usageError{fmt.Errorf("--limit is %d, want 1 or more", limit)}
			case entity == "" && (source != "" || cmd.Flags().Changed("limit")):
				return usageError{errors.New("--source and --limit are for records: say --entity too")}
			case entity != "":
				return c.withApp(func(ctx context.Context, a *app.App, _ []string) error {
					return c.dirtyRecords(ctx, a, entity, source, limit)
				})(cmd, names)
			}
			b, err := readText(names[0], cmd.InOrStdin())
			if err != nil {
				return err
			}
			return c.dirtyText(names[0], string(b))
		},
	}
	cmd.Flags().StringVar(&entity, "entity", "", "look through the records of this entity type")
	cmd.Flags().StringVar(&source, "source", "", "with --entity: of this source alone")
	cmd.Flags().IntVar(&limit, "limit", 100, "with --entity: how many records to show at most")
	return cmd
}

func readText(name string, stdin io.Reader) ([]byte, error) {
	r := stdin
	if name != "-" {
		f, err := openFile(name)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }() // only read
		r = f
	}
	b, err := io.ReadAll(io.LimitReader(r, longestText+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if len(b) > longestText {
		return nil, usageError{fmt.Errorf("%s is longer than %d MB: cut it into parts", name, longestText>>20)}
	}
	return b, nil
}

func (c *cli) dirtyText(name, s string) error {
	const bom = "\ufeff" // at the beginning it says which encoding this is
	at := 0
	if len(s) >= len(bom) && s[:len(bom)] == bom {
		at = len(bom)
	}
	found := []placed{}
	for _, f := range text.Detect(s[at:]) {
		f.From, f.To = f.From+at, f.To+at
		line, column := text.Place(s, f.From)
		if at > 0 && line == 1 {
			column--
		}
		found = append(found, placed{line, column, s[f.From:f.To], f})
	}
	err := c.print(found, func() {
		for _, f := range found {
			fmt.Fprintf(c.out, "%s:%d:%d: %s: %s; %s\n", name, f.Line, f.Column, f.Kind, plain(f.What), plain(remedy(f.Finding)))
		}
		if len(found) == 0 {
			fmt.Fprintln(c.out, "nothing found")
		}
	})
	if err == nil && len(found) > 0 {
		return errPerson
	}
	return err
}

// remedy says what could be done about a finding.
func remedy(f text.Finding) string {
	switch {
	case f.Lost:
		return "get it again from where it came from"
	case f.Put == "":
		return "take it out"
	}
	return fmt.Sprintf("put %q there", f.Put)
}

func (c *cli) dirtyRecords(ctx context.Context, a *app.App, entity, source string, limit int) error {
	found, err := a.DirtyText(ctx, entity, source, limit)
	if err != nil {
		return err
	}
	if err := c.saw(ctx, a, "text", entity); err != nil {
		return err
	}
	err = c.print(found, func() {
		var rows [][]any
		for _, n := range found.Notes {
			rows = append(rows, []any{n.Ref, n.Field, n.Kind, n.What, remedy(n.Finding)})
		}
		if len(rows) > 0 {
			c.table([]string{"record", "field", "", "what", "remedy"}, rows)
		}
		fmt.Fprintf(c.out, "%d of %d records have dirty text\n", found.Dirty, found.Records)
	})
	if err == nil && found.Dirty > 0 {
		return errPerson
	}
	return err
}
