package web

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"time"

	"touchstone/internal/auth"
	"touchstone/internal/web/chart"
)

// LevelData is how well the connections keep to what people count on.
type LevelData interface {
	// Levels reads the service levels of the last days.
	Levels(ctx context.Context) (Levels, error)
}

// Levels are the service levels of the last days (UTC), the oldest first.
type Levels struct {
	Goal             float64       // the share of the time in which all is to be well
	Fresh, Delivered time.Duration // how late a pull, and a write, may be
	Days             []string      // 2006-01-02
	Lines            []LevelLine
}

// LevelLine is how well the daemon, a source or a target kept to it.
type LevelLine struct {
	Kind, Name string        // daemon | source | target
	Days       []Level       // one for each day
	Week, All  Level         // of the last seven days, and of all
	Left       time.Duration // of the error budget; below zero when it is spent
}

// Level is how much of a time was good.
type Level struct{ Good, Whole time.Duration }

// Add adds another time.
func (l *Level) Add(o Level) { l.Good, l.Whole = l.Good+o.Good, l.Whole+o.Whole }

// Share is the good part; NaN where nothing was looked at.
func (l Level) Share() float64 {
	if l.Whole <= 0 {
		return math.NaN()
	}
	return float64(l.Good) / float64(l.Whole)
}

// Today is the last day so far.
func (l LevelLine) Today() Level {
	if len(l.Days) == 0 {
		return Level{}
	}
	return l.Days[len(l.Days)-1]
}

// Budget is how much of the error budget of 30 days is left or overspent, to the
// minute.
func (l LevelLine) Budget() time.Duration { return l.Left.Abs().Round(time.Minute) }

func (s *server) levelRoutes(m *routes) {
	m.handle("GET /levels", auth.See, auth.Counts, s.levels)
}

type levelsView struct {
	page
	Levels
	Headline string
	Chart    chart.Chart
}

func (s *server) levels(w http.ResponseWriter, r *http.Request) {
	data, ok := load(s, w, r, s.data.Levels)
	if !ok {
		return
	}
	p := s.page(w, r, "runs")
	v := levelsView{page: p, Levels: data}
	var rows []chart.Heat
	spent, whole := 0, time.Duration(0)
	for _, l := range data.Lines {
		whole += l.All.Whole
		if l.Left < 0 {
			spent++
		}
		row := chart.Heat{Name: p.words.levelName(l), Href: l.Href()}
		for _, d := range slices.Backward(l.Days) {
			row.Cells = append(row.Cells, chart.Share{Value: d.Share()})
		}
		rows = append(rows, row)
	}
	days := make([]string, len(data.Days)) // the newest first: they are seen before anybody scrolls
	for i, d := range data.Days {
		days[len(days)-1-i] = d[len("2006-"):]
	}
	if v.Headline = p.words.T("levels.none"); whole > 0 {
		v.Headline = fmt.Sprintf(p.words.N("levels.spent", spent), chart.Percent(data.Goal))
	}
	v.Chart = chart.Grid(chart.Words{Title: p.words.T("levels.chart"), Columns: []string{p.words.T("levels.part")}}, days, rows)
	s.render(w, r, http.StatusOK, "levels.html", v)
}

// Href is the page of the part.
func (l LevelLine) Href() string {
	switch l.Kind {
	case "source":
		return "/sources/" + url.PathEscape(l.Name)
	case "target":
		return "/targets/" + url.PathEscape(l.Name)
	}
	return ""
}

// levelName is what a part is called: a source and a target may share a name.
func (w words) levelName(l LevelLine) string {
	if l.Name == "" {
		return w.T("levels.kind." + l.Kind)
	}
	return l.Name + " · " + w.T("levels.kind."+l.Kind)
}
