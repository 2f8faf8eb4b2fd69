package web

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"touchstone/internal/auth"
	"touchstone/internal/web/chart"
)

func (s *server) qualityRoutes(m *routes) {
	m.handle("GET /quality", auth.See, auth.ByList, s.quality)
	m.handle("GET /quality/{source}/{entity}/{field}", auth.See, auth.Counts, s.profile)
	m.handle("GET /quality/{source}/{entity}/{field}/records", auth.SeeCustomers, auth.WholeOnly, s.fieldRecords)
	m.handle("GET /sources/{name}/schema", auth.See, auth.Counts, s.schema)
}

// The figures that the grid can show.
const (
	byCompleteness = "completeness"
	byValidity     = "validity"
	byFreshness    = "freshness"
)

type qualityView struct {
	page
	Quality
	Health   Health
	Measure  string
	Measures []string
	Headline string
	Grids    []chart.Chart
	Trend    chart.Chart
	Goals    []chart.Chart
	League   []leagueRow
}

// leagueRow is a source's score in the order of scores.
type leagueRow struct {
	QualitySource
	Entity string
	Change float64 // of the score over the days shown
	Old    bool    // there is something to compare with
	Spark  []int
}

// trendDays is how far back the trend goes.
const trendDays = 30

func (s *server) quality(w http.ResponseWriter, r *http.Request) {
	data, ok := load(s, w, r, s.data.Quality)
	if !ok {
		return
	}
	var health Health // which is kept of all
	if !data.Within {
		if health, ok = load(s, w, r, func(ctx context.Context) (Health, error) { return s.data.Health(ctx, trendDays) }); !ok {
			return
		}
	}
	p := s.page(w, r, "quality")
	v := qualityView{page: p, Quality: data, Health: health, Measure: r.URL.Query().Get("measure"), Measures: []string{byCompleteness, byValidity, byFreshness}}
	if !slices.Contains(v.Measures, v.Measure) {
		v.Measure = byCompleteness
	}
	for _, e := range data.Entities {
		v.Grids = append(v.Grids, grid(p.words, e, v.Measure, data.Within))
		if c, ok := goalChart(p.words, e); ok {
			v.Goals = append(v.Goals, c)
		}
	}
	v.League, v.Headline = league(p.words, data, health), qualitySentence(p.words, data, health)
	if len(health.Days) > 1 {
		v.Trend = trend(p.words, health)
	}
	s.render(w, r, http.StatusOK, "quality.html", v)
}

// qualitySentence is what matters about the data.
func qualitySentence(w words, q Quality, h Health) string {
	switch {
	case q.Within && q.Part:
		return w.N("quality.within.part", q.Records)
	case q.Within:
		return w.N("quality.within", q.Records)
	case len(h.Days) == 0:
		return w.T("quality.none")
	}
	now := h.Days[len(h.Days)-1]
	text := fmt.Sprintf(w.T("quality.score"), points(now.Score.Score), count(now.Records))
	switch {
	case len(h.Days) < 2:
	case math.Abs(h.Change) < 0.05:
		text += w.And + w.T("quality.same")
	case h.Change > 0:
		text += w.And + fmt.Sprintf(w.T("quality.up"), points(h.Change), h.Days[0].Day)
	default:
		text += w.And + fmt.Sprintf(w.T("quality.down"), points(-h.Change), h.Days[0].Day)
	}
	return text
}

// points is a score with one decimal place.
func points(f float64) string { return fmt.Sprintf("%.1f", f) }

// fieldPath is the address of a field's page.
func fieldPath(source, entity, field string) string {
	return "/quality/" + url.PathEscape(source) + "/" + url.PathEscape(entity) + "/" + url.PathEscape(field)
}

// behind is the address of the records behind a figure of a field.
func behind(source, entity, field, is, value string) string {
	q := url.Values{"is": {is}}
	if value != "" {
		q.Set("value", value)
	}
	return fieldPath(source, entity, field) + "/records?" + q.Encode()
}

// share is the figure that a grid shows of a field; NaN for none.
func (f FieldFigures) share(measure string) float64 {
	n, of := f.Filled, f.Filled+f.Missing
	switch measure {
	case byValidity:
		n, of = f.Valid, f.Values
		if !f.Checked {
			of = 0
		}
	case byFreshness:
		n, of = f.Fresh, f.Filled
	}
	if of == 0 {
		return math.NaN()
	}
	return float64(n) / float64(of)
}

// grid draws sources × fields. Its title names the weakest cell. Of who reaches some
// customers alone nothing leads on: behind it all are counted.
func grid(w words, e QualityEntity, measure string, within bool) chart.Chart {
	var rows []chart.Heat
	columns := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		columns[i] = w.word("field", f)
	}
	worst, where := math.Inf(1), ""
	for _, src := range e.Sources {
		row := chart.Heat{Name: src.Source}
		if !within {
			row.Href = "/sources/" + url.PathEscape(src.Source) + "/schema"
		}
		for i, f := range src.Fields {
			v := f.share(measure)
			cell := chart.Share{Value: v, Note: w.N("quality.of", f.Filled+f.Missing)}
			if !within {
				cell.Href = fieldPath(src.Source, e.Entity, e.Fields[i])
			}
			row.Cells = append(row.Cells, cell)
			if v > 0 && v < worst { // a field that a source does not have at all is no finding
				worst, where = v, src.Source+" · "+columns[i]
			}
		}
		rows = append(rows, row)
	}
	title := fmt.Sprintf(w.word("quality.grid", measure), w.word("entity", e.Entity))
	if where != "" {
		title += w.between() + fmt.Sprintf(w.T("quality.weakest"), where, chart.Percent(worst))
	}
	return chart.Grid(chart.Words{Title: title, Columns: []string{w.T("col.source")}}, columns, rows)
}

// goalChart draws how many records have all that each goal takes.
func goalChart(w words, e QualityEntity) (chart.Chart, bool) {
	var items []chart.Item
	for _, src := range e.Sources {
		for _, g := range src.Goals {
			if g.Records > 0 {
				items = append(items, chart.Item{Name: src.Source + " · " + w.word("goal", g.Name), Value: float64(g.All), Note: chart.Percent(float64(g.All) / float64(g.Records))})
			}
		}
	}
	title := fmt.Sprintf(w.T("quality.goals"), w.word("entity", e.Entity))
	return chart.Bars(chart.Words{Title: title, Columns: []string{w.T("quality.goal"), w.T("golden.members"), w.T("col.share")}}, items), len(items) > 0
}

// trend draws the score of all and of each source.
func trend(w words, h Health) chart.Chart {
	days := make([]string, len(h.Days))
	all := chart.Series{Name: w.T("quality.all")}
	for i, d := range h.Days {
		days[i] = d.Day[5:]
		all.Values = append(all.Values, math.Round(10*d.Score.Score)/10)
	}
	series := []chart.Series{all}
	for _, l := range h.Lines[:min(len(h.Lines), 5)] {
		x := chart.Series{Name: l.Source + " · " + w.word("entity", l.Entity)}
		for _, v := range l.Scores {
			if v < 0 {
				v = math.NaN()
			}
			x.Values = append(x.Values, math.Round(10*v)/10)
		}
		series = append(series, x)
	}
	return chart.Lines(chart.Words{Title: w.T("quality.trend"), Columns: []string{w.T("quality.day")}}, days, series, false)
}

// league orders sources by their score, the best first.
func league(w words, q Quality, h Health) (rows []leagueRow) {
	for _, e := range q.Entities {
		for _, s := range e.Sources {
			row := leagueRow{QualitySource: s, Entity: e.Entity}
			for _, l := range h.Lines {
				if l.Source != s.Source || l.Entity != e.Entity {
					continue
				}
				for _, v := range l.Scores {
					if v >= 0 {
						row.Spark = append(row.Spark, int(math.Round(v)))
						if !row.Old {
							row.Change, row.Old = s.Score.Score-v, true
						}
					}
				}
			}
			row.Old = row.Old && len(row.Spark) > 1
			rows = append(rows, row)
		}
	}
	slices.SortStableFunc(rows, func(a, b leagueRow) int { return cmp.Compare(b.Score.Score, a.Score.Score) })
	return rows
}

type profileView struct {
	page
	FieldProfile
	Figures                []figureRow
	Filled, Shapes, Length chart.Chart
	Names, Map             *chart.Chart
}

// figureRow is a figure with the records behind it.
type figureRow struct {
	Key, Shown, Href string
	N                int
}

func (s *server) profile(w http.ResponseWriter, r *http.Request) {
	source, entity, field := r.PathValue("source"), r.PathValue("entity"), r.PathValue("field")
	data, ok := load(s, w, r, func(ctx context.Context) (FieldProfile, error) {
		return s.data.FieldProfile(ctx, source, entity, field)
	})
	if !ok {
		return
	}
	p := s.page(w, r, "quality")
	v := profileView{page: p, FieldProfile: data}
	values := s.values(r)
	to := func(is, value string) string {
		if !values {
			return ""
		}
		return behind(source, entity, field, is, value)
	}
	v.Figures = []figureRow{{"filled", "", to("filled", ""), data.Filled}, {"missing", "", to("missing", ""), data.Missing}}
	if data.Checked {
		v.Figures = append(v.Figures, figureRow{"invalid", "", to("invalid", ""), data.Invalid})
	}
	v.Figures = append(v.Figures, figureRow{"dirty", "", to("dirty", ""), data.Dirty})
	list := func(kind string, counts []Count, other int, title string) chart.Chart {
		var items []chart.Item
		for _, c := range counts {
			name := c.Name
			if name == "" {
				name = "∅"
			}
			items = append(items, chart.Item{Name: name, Value: float64(c.N), Href: to(kind, c.Name)})
		}
		if other > 0 {
			items = append(items, chart.Item{Name: p.words.T("quality.others"), Value: float64(other), Class: "c6"})
		}
		words := chart.Words{Title: title, Columns: []string{p.words.T("col.value"), p.words.T("quality.values")}, Total: p.words.T("col.total")}
		if kind == "length" {
			return chart.Distribution(words, items)
		}
		return chart.Bars(words, items)
	}
	v.Shapes = list("shape", data.Shapes, data.OtherShapes, p.words.N("quality.shapes", len(data.Shapes)))
	v.Length = list("length", data.Lengths, 0, fmt.Sprintf(p.words.T("quality.lengths"), data.Shortest, data.Longest))
	if values && len(data.Names) > 0 {
		c := list("name", data.Names, data.OtherNames, p.words.N("quality.names", data.Distinct))
		v.Names = &c
	}
	if values && data.Provinces != nil {
		c := provinceMap(p.words, data)
		v.Map = &c
	}
	s.render(w, r, http.StatusOK, "quality_field.html", v)
}

// provinceMap draws the regions of China as tiles.
func provinceMap(w words, f FieldProfile) chart.Chart {
	items, best, most := map[string]chart.Item{}, "", 0
	for _, p := range chart.Provinces() {
		if n := f.Provinces[p.Code]; n > 0 {
			items[p.Code] = chart.Item{Value: float64(n)}
			if n > most {
				best, most = w.province(p), n
			}
		}
	}
	var elsewhere []chart.Item
	if f.Elsewhere > 0 {
		elsewhere = append(elsewhere, chart.Item{Name: w.T("quality.elsewhere"), Value: float64(f.Elsewhere)})
	}
	words := chart.Words{Title: fmt.Sprintf(w.T("quality.map"), best), Columns: []string{w.word("part", "region"), w.T("quality.values")}, Total: w.T("col.total")}
	return chart.TileMap(words, w.province, items, elsewhere)
}

func (w words) province(p chart.Province) string {
	if w.Code == "en" {
		return p.Letters
	}
	if w.Code == "zh-Hant" {
		return traditional(p.Short)
	}
	return p.Short
}

// traditional writes the short name of a province in traditional characters.
func traditional(short string) string {
	return strings.NewReplacer(
		"晋", "晉", "辽", "遼", "沪", "滬", "苏", "蘇", "闽", "閩", "赣", "贛", "鲁", "魯", "粤", "粵", "琼", "瓊", "贵", "貴", "云", "雲", "陕", "陝", "宁", "寧", "台", "臺",
	).Replace(short)
}

type fieldRecordsView struct {
	page
	FieldRecords
	Q     FieldQuery
	Shown int
}

// recordsShown is how many records one page lists.
const recordsShown = 100

func (s *server) fieldRecords(w http.ResponseWriter, r *http.Request) {
	if !s.seen(w, r, "read.field") {
		return
	}
	v := r.URL.Query()
	q := FieldQuery{
		Source: r.PathValue("source"), Entity: r.PathValue("entity"), Field: r.PathValue("field"),
		Is: v.Get("is"), Value: v.Get("value"), After: v.Get("after"), Limit: recordsShown,
	}
	if !slices.Contains([]string{"missing", "filled", "invalid", "dirty", "shape", "name", "length"}, q.Is) {
		s.notFound(w, r)
		return
	}
	data, ok := load(s, w, r, func(ctx context.Context) (FieldRecords, error) { return s.data.FieldRecords(ctx, q) })
	if !ok {
		return
	}
	ids := make([]string, 0, len(data.Rows))
	for _, x := range data.Rows {
		ids = append(ids, x.Golden)
	}
	if s.seen(w, r, "read.field", ids...) {
		s.render(w, r, http.StatusOK, "fieldrecords.html", fieldRecordsView{s.page(w, r, "quality"), data, q, len(data.Rows)})
	}
}

type schemaView struct {
	page
	SchemaPage
}

func (s *server) schema(w http.ResponseWriter, r *http.Request) {
	data, ok := load(s, w, r, func(ctx context.Context) (SchemaPage, error) { return s.data.SchemaPage(ctx, r.PathValue("name")) })
	if ok {
		s.render(w, r, http.StatusOK, "schema.html", schemaView{s.page(w, r, "quality"), data})
	}
}

// types says kinds of values.
func (w words) types(names []string) string {
	said := make([]string, len(names))
	for i, name := range names {
		said[i] = w.word("coltype", name)
	}
	return w.List(said)
}
