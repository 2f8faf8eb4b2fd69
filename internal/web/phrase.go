package web

import (
	"fmt"
	"regexp"
)

// ours is an argument of a phrase that is in our words.
type ours string

// argument finds where a form takes an argument, of a number where it says so.
var argument = regexp.MustCompile(`%(?:\[([1-9])\])?([a-z%])`)

// phrase says a form with %s for what is not ours: that comes as pieces of its
// own, which a page marks as data.
func phrase(form string, args ...any) (out []piece) {
	at, next := 0, 0
	for _, m := range argument.FindAllStringSubmatchIndex(form, -1) {
		out, at = append(out, piece{Text: form[at:m[0]]}), m[1]
		verb := form[m[4]:m[5]]
		if verb == "%" {
			out = append(out, piece{Text: verb})
			continue
		}
		if m[2] >= 0 {
			next = int(form[m[2]] - '1')
		}
		if next >= len(args) {
			continue // a test compares what the languages take
		}
		_, own := args[next].(ours)
		out = append(out, piece{fmt.Sprintf("%"+verb, args[next]), verb == "s" && !own})
		next++
	}
	return oneAfterAnother(append(out, piece{Text: form[at:]}))
}
