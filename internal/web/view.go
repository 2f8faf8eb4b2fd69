package web

import (
	"fmt"
	"html/template"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"touchstone/internal/record"
	"touchstone/internal/web/chart"
)

// functions are what templates may call, in one language.
func functions(l language) template.FuncMap {
	w := words{l}
	all := template.FuncMap{
		"t":      w.T,
		"n":      w.N,
		"word":   w.word,
		"hint":   func(kind string) string { return w.table["queue."+kind+".hint"] },
		"count":  count,
		"asint":  func(n int64) int { return int(n) },
		"ago":    w.ago,
		"ahead":  w.ahead,
		"exact":  exact,
		"spark":  sparkline,
		"marked": marked,
		"stack": func(r RunRow) []part {
			return stacked(r.Pulled, r.Stored, r.Unchanged, r.Echo, r.Quarantined, r.Filtered)
		},
		"total": func(r SourceRow) []part {
			return stacked(r.Pulled, r.Stored, r.Unchanged, r.Echo, r.Quarantined, r.Filtered)
		},
		"place":  w.place,
		"undoAt": undoAt,
		"took":   w.took,
		"points": points, "portion": chart.Percent,
		"bits":   bits,
		"minus":  func(x, y float64) string { return bits(x - y) },
		"share":  share,
		"span":   w.span,
		"ratio":  func(f float64) string { return strconv.FormatFloat(math.Round(1e8*f)/1e6, 'f', -1, 64) + "\u202f%" },
		"path":   url.PathEscape,
		"at":     func(now, t time.Time) moment { return moment{now, t} },
		"at2":    func(now time.Time, row WriteRow) writeMoment { return writeMoment{now, row} },
		"amount": amount, "month": w.month, "query": url.QueryEscape, "kept": keptQuery, "tip": w.tip, "types": w.types, "sp": w.between, "first": first, "min": func(a, b int) int { return min(a, b) },
		"rolesign": roleSign, "stancesign": stanceSign,
		"roles": func() []string { return record.BuyingRoles }, "stances": func() []string { return record.Stances },
		"tabs":     func(id, entity, here string) customerTabs { return customerTabs{id, entity, here} },
		"drawing":  func(c treeChart, title string) drawing { return drawing{c, title} },
		"pass":     func(now time.Time, v any) passed { return passed{now, v, ""} },
		"passlink": func(now time.Time, v any, link string) passed { return passed{now, v, link} },
		"merged":   func(members, golden int) int { return max(0, members-golden) },
		"own":      ownPart, "tokens": tokensPart, "newtoken": newTokenPart, "otpauth": otpauth,
		"held": heldLines, "told": w.told, "retold": w.retold, "detail": w.detail, "phrase": phrase, "ours": func(s string) ours { return ours(s) },
	}
	for name, f := range deskFunctions(w) {
		if all[name] != nil {
			panic("web: two template functions are called " + name) // a mistake of ours
		}
		all[name] = f
	}
	return all
}

// keptQuery gives a whole query, "q=x&entity=company", to stand behind the ? of
// an address: as plain text its = and & would be escaped too, and lost.
func keptQuery(query string) template.URL {
	q, err := url.ParseQuery(query)
	if err != nil {
		return ""
	}
	return template.URL(q.Encode()) //nolint:gosec // encoded just now
}

// actMark begins the ids of acts that an inbox takes back itself.
const actMark = "act-"

// undoAt is the address that takes back what Done offers to undo.
func undoAt(id string) string {
	if act, ok := strings.CutPrefix(id, actMark); ok {
		return "/acts/" + url.PathEscape(act) + "/undo"
	}
	return "/decisions/" + url.PathEscape(id) + "/undo"
}

// place names a field as a reason points to it: "/phones/0/value" is the first
// of the phones.
func (w words) place(field string) string {
	steps := strings.Split(strings.TrimPrefix(field, "/"), "/")
	name := w.word("field", steps[0])
	for _, s := range steps[min(len(steps), 1):] {
		if n, err := strconv.Atoi(s); err == nil {
			name += " " + strconv.Itoa(n+1)
		} else if s != "value" && s != "*" {
			name += " · " + w.word("part", s)
		}
	}
	return name
}

// bits is a weight with its sign.
func bits(f float64) string {
	s := strconv.FormatFloat(math.Abs(f), 'f', 1, 64)
	switch {
	case s == "0.0":
		return s
	case f < 0:
		return "−" + s
	}
	return "+" + s
}

// share is a probability in per cent. It never says 0 or 100 of what is not
// certain.
func share(p float64) string {
	switch {
	case p < 0.001:
		return "< 0.1 %"
	case p > 0.999:
		return "> 99.9 %"
	}
	return strconv.FormatFloat(100*p, 'f', 1, 64) + "\u202f%"
}

// moment is a time seen from now.
type moment struct{ Now, T time.Time }

// writeMoment is a row of the outbox seen from now.
type writeMoment struct {
	Now time.Time
	Row WriteRow
}

// count writes a number in groups of three.
func count(n int) string { return amount(strconv.Itoa(n)) }

// amount writes a decimal number in groups of three.
func amount(s string) string {
	sign := ""
	if rest, minus := strings.CutPrefix(s, "-"); minus {
		sign, s = "−", rest
	}
	whole, part, has := strings.Cut(s, ".")
	if has {
		part = "." + part
	}
	return sign + chart.Grouped(whole) + part
}

// exact is a time as the hover shows it: the last of the times, by the clock of
// the first, which is in UTC where there is only one.
func exact(times ...time.Time) string {
	t, zone := times[len(times)-1], time.UTC
	if len(times) > 1 {
		zone = times[0].Location()
	}
	if t.IsZero() {
		return ""
	}
	if zone == time.UTC {
		return t.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	return t.In(zone).Format("2006-01-02 15:04:05 -07:00")
}

// ago is a time as people say it: relative for a week, then the date.
func (w words) ago(now, t time.Time) string {
	if t.IsZero() {
		return w.T("ago.never")
	}
	return w.near(now, t, now.Sub(t), "ago.now", "ago.minutes", "ago.hours", "ago.days")
}

// ahead is a time to come likewise.
func (w words) ahead(now, t time.Time) string {
	return w.near(now, t, t.Sub(now), "ahead.now", "ahead.minutes", "ahead.hours", "ahead.days")
}

// near says how far a time is from now, with the words for less than a minute, for
// minutes, hours and days; from a week on it is the date.
func (w words) near(now, t time.Time, d time.Duration, less, minutes, hours, days string) string {
	switch {
	case d < time.Minute:
		return w.T(less)
	case d < time.Hour:
		return fmt.Sprintf(w.T(minutes), int(d/time.Minute))
	case d < 24*time.Hour:
		return fmt.Sprintf(w.T(hours), int(d/time.Hour))
	case d < 7*24*time.Hour:
		return fmt.Sprintf(w.T(days), int(d/(24*time.Hour)))
	}
	return t.In(now.Location()).Format(time.DateOnly)
}

// spark is a small line: a polyline in a box of sparkWide by sparkHigh.
type spark struct {
	Points      string
	EndX, EndY  string
	First, Last int
	Wide, High  int
	Box         string
}

const (
	sparkWide = 84
	sparkHigh = 20
	sparkEdge = 3 // room for the end's dot
)

// sparkline draws a week; nil when there is no line to draw. The bottom is
// zero, so that heights compare.
func sparkline(week []int) *spark {
	if len(week) < 2 {
		return nil
	}
	top := 1
	for _, n := range week {
		top = max(top, n)
	}
	var points []string
	var x, y float64
	for i, n := range week {
		x = sparkEdge + float64(i)*(sparkWide-2*sparkEdge)/float64(len(week)-1)
		y = sparkHigh - sparkEdge - float64(max(0, n))*(sparkHigh-2*sparkEdge)/float64(top)
		points = append(points, coordinate(x)+","+coordinate(y))
	}
	return &spark{
		Points: strings.Join(points, " "), EndX: coordinate(x), EndY: coordinate(y),
		First: week[0], Last: week[len(week)-1], Wide: sparkWide, High: sparkHigh,
		Box: fmt.Sprintf("0 0 %d %d", sparkWide, sparkHigh),
	}
}

func coordinate(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }
