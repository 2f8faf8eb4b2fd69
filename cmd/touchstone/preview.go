package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"touchstone/internal/app"
	"touchstone/internal/web"
)

func previewFlag(f *pflag.FlagSet, look *bool) {
	f.BoolVar(look, "preview", false, "show what would change, in customers and in every target, and change nothing")
}

// previewed tells what a decision would come to. One that would be refused needs
// a person.
func (c *cli) previewed(ctx context.Context, a *app.App, p web.ChangePreview, err error) error {
	if err != nil {
		return err
	}
	if err := c.saw(ctx, a, "customer", eachOf(p.Customers, func(x web.ChangedCustomer) []string { return []string{x.ID} })...); err != nil {
		return err
	}
	if err := c.print(p, func() { c.previewText(p) }); err != nil {
		return err
	}
	if p.Refused != "" {
		return errPerson
	}
	return nil
}

func (c *cli) previewText(p web.ChangePreview) {
	say := func(format string, args ...any) { fmt.Fprintf(c.out, format+"\n", args...) }
	switch {
	case p.Refused != "":
		say("would be refused: %s", plain(p.Refused))
		for _, l := range p.Balance {
			if !l.Balanced {
				say("  %s", balanceText(l))
			}
		}
		return
	case p.Existing:
		say("%s says so already; nothing would change", p.Decision)
		return
	case p.Quiet():
		say("no customer would change: %s", quietText(p.Act))
	}
	for _, d := range p.Over {
		say("takes out of force: %s (%s by %s, %s)", d.ID, d.Kind, plain(d.Who), day(d.At))
	}
	for _, d := range p.Later {
		say("made later, stays in force: %s (%s by %s, %s)", d.ID, d.Kind, plain(d.Who), day(d.At))
	}
	for _, x := range p.Customers {
		c.previewCustomer(x)
	}
	for _, m := range p.Moves {
		say("%s goes from %s to %s, with %d events, %d consents, %d relations, %d pins", plain(m.Record), m.From, m.To, m.Events, m.Consents, m.Relations, m.Pins)
	}
	if p.MoreMoves > 0 {
		say("and %d records more", p.MoreMoves)
	}
	for _, t := range p.Targets {
		c.previewTarget(t)
	}
	for _, l := range p.Balance {
		say("balance: %s", balanceText(l))
	}
	for _, n := range p.Notes {
		if text := noteText(n); text != "" {
			say("note: %s", plain(text))
		}
	}
	if p.Waiting > 0 {
		say("note: %d of these records have news that are not worked in yet; touchstone run --once first shows them too", p.Waiting)
	}
	say("nothing was changed: the same command without --preview does it")
}

func (c *cli) previewCustomer(x web.ChangedCustomer) {
	name := plain(x.Name)
	switch x.State {
	case "gone":
		fmt.Fprintf(c.out, "%s %s becomes part of %s\n", x.ID, name, x.Into)
	case "new":
		fmt.Fprintf(c.out, "%s %s comes into being\n", x.ID, name)
	default:
		fmt.Fprintf(c.out, "%s %s changes\n", x.ID, name)
	}
	for _, f := range x.Fields {
		fmt.Fprintf(c.out, "  %s: %s → %s\n", f.Name, shownOr(f.Old), shownOr(f.New))
	}
}

func (c *cli) previewTarget(t web.TargetEffect) {
	fmt.Fprintf(c.out, "%s: %d creates, %d updates, %d objects need nothing", t.Target, t.Creates, t.Updates, t.None)
	if t.Withdrawn > 0 {
		fmt.Fprintf(c.out, ", %d waiting writes are taken back", t.Withdrawn)
	}
	if t.Held != "" {
		fmt.Fprintf(c.out, "; waits for a person: %s", plain(t.Held))
	}
	fmt.Fprintln(c.out)
	for _, w := range t.Writes {
		object := w.Object
		if object == "" {
			object = "a new object"
		}
		var fields []string
		for _, f := range w.Fields {
			fields = append(fields, fmt.Sprintf("%s: %s → %s", f.Path, shownOr(f.Old), shownOr(f.New)))
		}
		fmt.Fprintf(c.out, "  %s %s: %s\n", w.Op, plain(object), strings.Join(fields, "; "))
	}
	if t.More > 0 {
		fmt.Fprintf(c.out, "  and %d more\n", t.More)
	}
}

func shownOr(text string) string {
	if text == "" {
		return "–"
	}
	return plain(text)
}

func balanceText(l web.BalanceLine) string {
	text := fmt.Sprintf("%s of %s: %d before, %d after", l.Kind, l.System, l.Before, l.After)
	if l.SumOld != "" || l.SumNew != "" {
		text = fmt.Sprintf("%s of %s: %s %s before, %s after", l.Kind, l.System, shownOr(l.SumOld), plain(l.Unit), shownOr(l.SumNew))
	}
	if !l.Balanced && l.Before == l.After {
		text += ", but not the same"
	}
	return text
}

func quietText(act string) string {
	switch act {
	case "undo":
		return "the evidence, or another decision, holds them as they are; touchstone split takes records out"
	case "merge":
		return "they are one already; the decision would hold them whatever becomes of the evidence"
	}
	return "they are apart already"
}

func noteText(n web.ChangeNote) string {
	arg := func(i int) string {
		if i < len(n.Args) {
			return n.Args[i]
		}
		return ""
	}
	switch n.Key {
	case "creates":
		return fmt.Sprintf("%s gets %s new objects; taking this back leaves them there", arg(0), arg(1))
	case "native_new":
		return fmt.Sprintf("%s has itself merged its object %s and cannot take that back: a new object will be made", arg(0), arg(1))
	case "native_none":
		return fmt.Sprintf("%s has itself merged its object %s and cannot take that back; its policy makes no new objects, so that customer stays without one there", arg(0), arg(1))
	}
	return ""
}
