package web

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// mostNamed is how many parts of a weight one sentence names for and against,
// mostFlips how many changes that would turn it.
const (
	mostNamed = 3
	mostFlips = 2
)

// sentences say what speaks for a pair, what against it, and what would turn
// the answer.
func (w words) sentences(d Desk) []string {
	with, against := w.forAndAgainst(d.Evidence)
	out := []string{cmp.Or(with, w.T("desk.for.nothing")), cmp.Or(against, w.T("desk.against.nothing"))}
	if d.Veto != "" {
		return append(out, fmt.Sprintf(w.T("desk.veto"), w.veto(d.Veto)))
	}
	if len(d.Flips) == 0 {
		return append(out, w.T("desk.flip.none"))
	}
	for _, f := range d.Flips[:min(len(d.Flips), mostFlips)] {
		out = append(out, fmt.Sprintf(w.T("desk.flip"), w.word("field", f.Field), w.word("level", f.To), w.word("level", f.From)))
	}
	return out
}

// forAndAgainst say what speaks for a pair and what against it; "" where nothing
// does.
func (w words) forAndAgainst(list []Evidence) (with, against string) {
	var plus, minus []Evidence
	for _, e := range list {
		switch {
		case e.Field == "prior":
		case e.Bits > 0:
			plus = append(plus, e)
		case e.Bits < 0:
			minus = append(minus, e)
		}
	}
	if len(plus) > 0 {
		with = fmt.Sprintf(w.T("desk.for"), w.parts(plus))
	}
	if len(minus) > 0 {
		against = fmt.Sprintf(w.T("desk.against"), w.parts(minus))
	}
	return with, against
}

// parts names the strongest parts of a weight.
func (w words) parts(list []Evidence) string {
	slices.SortStableFunc(list, func(x, y Evidence) int { return cmp.Compare(math.Abs(y.Bits), math.Abs(x.Bits)) })
	var out []string
	for _, e := range list[:min(len(list), mostNamed)] {
		out = append(out, fmt.Sprintf(w.T("desk.part"), w.word("field", e.Field), w.word("level", e.Level), bits(e.Bits)))
	}
	return strings.Join(out, w.T("desk.and"))
}

// veto words the ground of a veto: "different lei numbers" names a scheme.
func (w words) veto(text string) string {
	if scheme, ok := strings.CutPrefix(text, "different "); ok {
		if scheme, ok = strings.CutSuffix(scheme, " numbers"); ok {
			return fmt.Sprintf(w.T("desk.veto.ids"), w.word("part", scheme))
		}
	}
	return w.word("vetoes", text)
}
