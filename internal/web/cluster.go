package web

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"

	"touchstone/internal/auth"
)

// mostDrawn bounds the records of a graph: beyond it nobody sees anything.
const mostDrawn = 40

// The graph's box, in its own units.
const (
	graphWide = 760
	graphHigh = 380
	nodeSize  = 15
	// labelAt is how far along a link its weight stands: off the middle, where
	// links cross.
	labelAt = 0.36
)

// clusterView is a golden record as columns and as a graph.
type clusterView struct {
	page
	Cluster
	Graph   *graph
	Columns []clusterColumn
	Lines   []clusterLine
	Can     bool
	Problem string
	Why     string
}

type clusterColumn struct {
	ClusterMember
	Number int
}

type clusterLine struct {
	Name  string
	Cells []clusterCell
	Equal bool
}

// clusterCell is what one record says in a field: what others say too is the
// same.
type clusterCell struct {
	Label   string
	Entries []entry
}

// graph is a drawing: places are computed here, classes do the rest.
type graph struct {
	Box   string
	Nodes []graphNode
	Edges []graphEdge
}

type graphNode struct {
	X, Y, TextY string
	Number      int
	Name        string
	Group       int // of six colours
	Leave       bool
	Deleted     bool
}

type graphEdge struct {
	X1, Y1, X2, Y2 string
	Wide           string // grows with the weight
	MidX, MidY     string
	Text           string
	Class          string
	Title          string
	Pair           string
}

// cluster shows what holds a golden record together.
func (s *server) cluster(w http.ResponseWriter, r *http.Request) {
	s.showCluster(w, r, http.StatusOK, "")
}

func (s *server) showCluster(w http.ResponseWriter, r *http.Request, status int, problem string) {
	if !s.seen(w, r, "read.cluster") {
		return
	}
	step := -1
	if n, err := strconv.Atoi(r.URL.Query().Get("step")); err == nil && n >= 0 {
		step = n
	}
	data, ok := load(s, w, r, func(ctx context.Context) (Cluster, error) { return s.data.Cluster(ctx, r.PathValue("id"), step) })
	if !ok || !s.seen(w, r, "read.cluster", data.ID) {
		return
	}
	v := clusterView{page: s.page(w, r, "review"), Cluster: data, Can: auth.From(r.Context()).May(auth.Decide), Problem: problem, Why: r.PostForm.Get("why")}
	for i, m := range data.Members {
		v.Columns = append(v.Columns, clusterColumn{m, i + 1})
	}
	for _, row := range data.Rows {
		v.Lines = append(v.Lines, lineOf(row, data.Members))
	}
	v.Graph = drawn(data, v.words)
	s.render(w, r, status, "cluster.html", v)
}

// lineOf marks in each record what differs from the value that most have; the
// first of those that as many have.
func lineOf(row ClusterRow, members []ClusterMember) clusterLine {
	times, most, usual := map[string]int{}, 0, []string(nil)
	for _, values := range row.Values {
		key := fmt.Sprintf("%q", values)
		if times[key]++; len(values) > 0 && times[key] > most {
			most, usual = times[key], values
		}
	}
	out := clusterLine{Name: row.Name, Equal: most == len(members)}
	for i, values := range row.Values {
		out.Cells = append(out.Cells, clusterCell{members[i].Source + " " + members[i].ID, entries(values, usual)})
	}
	return out
}

// drawn lays the graph out: those who would leave by the proposed split on the
// left, the rest on the right, each on an ellipse in the order of the list. The
// same cluster gives the same drawing.
func drawn(c Cluster, in words) *graph {
	if len(c.Members) < 2 || len(c.Members) > mostDrawn || c.More > 0 {
		return nil
	}
	var left, right []int
	for i, m := range c.Members {
		if m.Leave && c.Split != nil {
			left = append(left, i)
		} else {
			right = append(right, i)
		}
	}
	at := make([][2]float64, len(c.Members))
	high := graphHeight(max(len(left), len(right)))
	if len(left) == 0 {
		ellipse(at, right, graphWide/2, graphWide/2-60, high)
	} else {
		ellipse(at, left, graphWide*0.22, graphWide*0.15, high)
		ellipse(at, right, graphWide*0.68, graphWide*0.24, high)
	}
	g := &graph{Box: fmt.Sprintf("0 0 %d %.0f", graphWide, high)}
	for i, m := range c.Members {
		g.Nodes = append(g.Nodes, graphNode{
			X: coordinate(at[i][0]), Y: coordinate(at[i][1]), TextY: coordinate(at[i][1] + nodeSize + 14), Number: i + 1, Name: m.Source + " " + m.ID,
			Group: m.Group%6 + 1, Leave: m.Leave && c.Split != nil, Deleted: m.Deleted,
		})
	}
	top := 1.0
	for _, l := range c.Links {
		top = max(top, l.Bits)
	}
	for _, l := range c.Links {
		g.Edges = append(g.Edges, edgeOf(l, at, top, in))
	}
	return g
}

// graphHeight is how high a drawing is whose largest part has so many records: two
// stand side by side and need a line, more an ellipse.
func graphHeight(most int) float64 {
	switch {
	case most <= 2:
		return 110
	case most <= 4:
		return 260
	}
	return graphHigh
}

// ellipse puts records around a centre, in a drawing of a height.
func ellipse(at [][2]float64, members []int, centre, radius, height float64) {
	middle, high := height/2-8, height/2-50
	for k, m := range members {
		if len(members) == 1 {
			at[m] = [2]float64{centre, middle}
			continue
		}
		angle := 2*math.Pi*float64(k)/float64(len(members)) - math.Pi/2
		if len(members) == 2 {
			angle += math.Pi / 2 // side by side
		}
		at[m] = [2]float64{centre + radius*math.Cos(angle), middle + high*math.Sin(angle)}
	}
}

func edgeOf(l ClusterLink, at [][2]float64, top float64, in words) graphEdge {
	a, b := at[l.A], at[l.B]
	e := graphEdge{
		X1: coordinate(a[0]), Y1: coordinate(a[1]), X2: coordinate(b[0]), Y2: coordinate(b[1]), Wide: coordinate(1 + 6*max(l.Bits, 0)/top),
		MidX: coordinate(a[0] + labelAt*(b[0]-a[0])), MidY: coordinate(a[1] + labelAt*(b[1]-a[1]) - 5), Text: bits(l.Bits), Class: "edge", Pair: l.Pair,
	}
	switch {
	case l.Decision != "":
		e.Class, e.Text, e.Wide = "edge ruled", in.T("cluster.ruled"), "3.0"
	case l.Bridge:
		e.Class += " bridge"
	}
	if l.Weakest {
		e.Class += " weakest"
	}
	if l.Cut {
		e.Class += " cut"
	}
	e.Title = fmt.Sprintf(in.T("cluster.edge"), l.A+1, l.B+1, e.Text)
	return e
}

// clusterSplit takes the proposed side out of the customer.
func (s *server) clusterSplit(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	id, refs := r.PathValue("id"), r.PostForm["record"]
	s.act(w, r, "/review/cluster/"+url.PathEscape(id), func(ctx context.Context, by By) (Done, error) {
		if len(refs) == 0 {
			return Done{}, &Problem{Field: "record", Text: wordsOf(r).T("cluster.split.none")}
		}
		if by.Why == "" {
			return Done{}, &Problem{Field: "why", Text: wordsOf(r).T("cluster.split.why")}
		}
		decision, err := s.data.SplitOff(ctx, id, refs, by)
		return Done{Key: "told.split", Undo: decision}, err
	}, func(p Problem) { s.showCluster(w, r, http.StatusUnprocessableEntity, p.Text) })
}
