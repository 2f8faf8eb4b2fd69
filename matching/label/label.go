// Package label holds what people said of pairs of records: that the two are
// one customer, that they are not, or that nobody can tell.
package label

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"
)

// Answer is what somebody said of a pair.
type Answer string

// The answers.
const (
	Same      Answer = "same"
	Different Answer = "different"
	Unsure    Answer = "unsure" // kept so that nobody is asked twice; it teaches nothing
)

// Pair is one answer.
type Pair struct {
	A, B   string // ids, as the rows or source records are named
	Answer Answer
	Who    string // who said it; "" where nobody noted it
	When   string // RFC 3339; ""
	Source string // how it came about: "asked", "ruling", or whatever the file says
	Line   int    // of the file it stands in; 0 for none
}

// Key names a pair whichever way round it is written.
func (p Pair) Key() [2]string {
	if p.A > p.B {
		return [2]string{p.B, p.A}
	}
	return [2]string{p.A, p.B}
}

// answers are the words that a file may use, besides those of Answer.
func answers() map[string]Answer {
	return map[string]Answer{
		"same": Same, "match": Same, "yes": Same, "y": Same, "1": Same, "true": Same, "相同": Same, "是": Same,
		"different": Different, "distinct": Different, "no": Different, "n": Different, "0": Different, "false": Different, "不同": Different, "否": Different,
		"unsure": Unsure, "u": Unsure, "?": Unsure, "不确定": Unsure,
	}
}

// ReadPairs reads labels: CSV with the columns id_a, id_b and label (same,
// different or unsure), and who, when and source where it has them. Other
// columns are left alone. A pair may stand there twice if both say the same. The
// name is for messages, which give line and column.
func ReadPairs(r io.Reader, name string) ([]Pair, error) {
	t, err := open(r, name)
	if err != nil {
		return nil, err
	}
	if t.at("label") < 0 && t.at("id_a") >= 0 {
		return nil, fmt.Errorf("%s:1: there is no column label; want id_a,id_b,label with same, different or unsure", name)
	}
	if err := t.want("id_a", "id_b", "label"); err != nil {
		return nil, err
	}
	words, seen := answers(), map[[2]string]Pair{}
	var out []Pair
	for t.next() {
		p := Pair{A: t.get("id_a"), B: t.get("id_b"), Who: t.get("who"), When: t.get("when"), Source: t.get("source"), Line: t.line("id_a")}
		for _, c := range []string{"id_a", "id_b"} {
			if t.get(c) == "" {
				return nil, t.wrong(c, "the id is empty")
			}
		}
		if p.A == p.B {
			return nil, t.wrong("id_b", "a pair of %q with itself says nothing", p.A)
		}
		var ok bool
		if p.Answer, ok = words[strings.ToLower(t.get("label"))]; !ok {
			return nil, t.wrong("label", "%q is no label, want same, different or unsure", t.get("label"))
		}
		if e, twice := seen[p.Key()]; twice {
			if e.Answer != p.Answer {
				return nil, t.wrong("label", "%s and %s are %s here and %s in line %d", p.A, p.B, p.Answer, e.Answer, e.Line)
			}
			continue
		}
		seen[p.Key()] = p
		out = append(out, p)
	}
	return out, t.err
}

// Truth says which cluster every record belongs to.
type Truth struct {
	Cluster map[string]string // id → cluster
	IDs     []string          // in the order of the file
	// Open says that the file lists true pairs: a record it does not name is a
	// customer of its own.
	Open bool
}

// ReadTruth reads a truth or a result: CSV with the columns id and cluster, or
// id_a and id_b for true pairs, closed transitively. Labels are no truth: they
// say nothing of the pairs that nobody was asked about, so a file with a column
// label is read only where every line says that the two are the same.
func ReadTruth(r io.Reader, name string) (Truth, error) {
	t, err := open(r, name)
	if err != nil {
		return Truth{}, err
	}
	if t.at("id_a") >= 0 && t.at("id_b") >= 0 {
		return t.pairs()
	}
	if t.at("id") < 0 || t.at("cluster") < 0 {
		return Truth{}, fmt.Errorf("%s:1: want the columns id and cluster, or id_a and id_b for true pairs; there are %s", name, strings.Join(t.header, ", "))
	}
	out := Truth{Cluster: map[string]string{}}
	for t.next() {
		id, c := t.get("id"), t.get("cluster")
		if id == "" {
			return out, t.wrong("id", "the id is empty")
		}
		if before, twice := out.Cluster[id]; twice {
			if before != c {
				return out, t.wrong("id", "%q stands in two clusters", id)
			}
			continue
		}
		out.Cluster[id] = c
		out.IDs = append(out.IDs, id)
	}
	return out, t.err
}

func (t *table) pairs() (Truth, error) {
	out := Truth{Cluster: map[string]string{}, Open: true}
	parent := map[string]string{}
	find := func(x string) string {
		for parent[x] != x {
			parent[x] = parent[parent[x]]
			x = parent[x]
		}
		return x
	}
	words := answers()
	for t.next() {
		if t.at("label") >= 0 && words[strings.ToLower(t.get("label"))] != Same {
			return out, t.wrong("label", "%q is no true pair: answers are labels, not a truth; touchstone train and model compare take them by --labels", t.get("label"))
		}
		ids := [2]string{t.get("id_a"), t.get("id_b")}
		for i, id := range ids {
			if id == "" {
				return out, t.wrong([]string{"id_a", "id_b"}[i], "the id is empty")
			}
			if _, known := parent[id]; !known {
				parent[id] = id
				out.IDs = append(out.IDs, id)
			}
		}
		x, y := find(ids[0]), find(ids[1])
		parent[max(x, y)] = min(x, y)
	}
	for _, id := range out.IDs {
		out.Cluster[id] = find(id)
	}
	return out, t.err
}

// Writer writes labels one by one; each is complete when Write returns, if the
// writer below keeps what it is given.
type Writer struct{ csv *csv.Writer }

// NewWriter starts to write; head says whether the head is still to be written.
func NewWriter(w io.Writer, head bool) (*Writer, error) {
	out := &Writer{csv.NewWriter(w)}
	if head {
		if err := out.csv.Write([]string{"id_a", "id_b", "label", "who", "when", "source"}); err != nil {
			return nil, fmt.Errorf("write labels: %w", err)
		}
		out.csv.Flush()
	}
	return out, out.csv.Error()
}

// Write adds one label.
func (w *Writer) Write(p Pair) error {
	if err := w.csv.Write([]string{p.A, p.B, string(p.Answer), p.Who, p.When, p.Source}); err != nil {
		return fmt.Errorf("write label: %w", err)
	}
	w.csv.Flush()
	return w.csv.Error()
}
