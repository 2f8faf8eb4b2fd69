package dedupe

import (
	"fmt"
	"strings"

	"touchstone/matching"
	"touchstone/matching/weight"
)

// Part is one piece of a pair's weight.
type Part struct {
	Field  string       `json:"field"`
	Level  string       `json:"level"`
	A      string       `json:"a,omitempty"`
	B      string       `json:"b,omitempty"`
	Weight weight.Milli `json:"weight_bits"`
}

// Pair is a pair's weight taken apart: the parts sum to it.
type Pair struct {
	Weight      weight.Milli `json:"weight_bits"`
	Probability float64      `json:"probability"`
	Veto        string       `json:"veto,omitempty"` // what forbids uniting them whatever they weigh
	Together    bool         `json:"together"`       // whether they stand in one cluster
	Parts       []Part       `json:"parts"`
}

// Explain takes the weight of two rows apart.
func (r *Result) Explain(a, b int) Pair {
	e := r.engine
	p := e.explain(int(r.unitOf[a]), int(r.unitOf[b]))
	p.Together = r.Rows[a].Cluster == r.Rows[b].Cluster
	return p
}

func (e *engine) explain(i, j int) Pair {
	var buf [maxFields]uint8
	levels := buf[:len(e.fields)]
	e.levels(i, j, levels)
	p := Pair{Parts: []Part{{Field: "prior", Level: "any two rows", Weight: weight.Milli(e.prior)}}}
	shown := map[string]matching.Part{}
	if e.model != nil {
		a, b := e.forms.of(i), e.forms.of(j)
		for _, part := range e.model.Explain(&a, &b) {
			shown[part.Field] = part
		}
	}
	ra, rb := int(e.u.first[i]), int(e.u.first[j])
	for k, l := range levels {
		if l == 0 {
			continue
		}
		f := &e.fields[k]
		part := Part{Field: f.Name, Level: f.Levels[l], Weight: weight.Milli(e.weights[k][l])}
		if k < e.packed {
			part.A, part.B = shown[f.Name].A, shown[f.Name].B
		} else {
			part.A, part.B = f.column.At(ra), f.column.At(rb)
		}
		p.Parts = append(p.Parts, part)
		if w := e.rarityOf(k, i, j, l); w != 0 {
			level := "rarer than most"
			if w < 0 {
				level = "commoner than most"
			}
			p.Parts = append(p.Parts, Part{Field: f.Name, Level: level, A: part.A, B: part.B, Weight: weight.Milli(w)})
		}
	}
	for _, part := range p.Parts {
		p.Weight += part.Weight
	}
	p.Probability = probability(int32(p.Weight))
	switch {
	case e.u.apart(i, j):
		p.Veto = "both rows are of one file, or one equals another row of its file: each file is clean in itself"
	case e.veto(i, j):
		a, b := e.forms.of(i), e.forms.of(j)
		p.Veto, _ = e.model.Veto(&a, &b)
	}
	return p
}

// Summary is one line: the parts, strongest words first as they come.
func (p Pair) Summary() string {
	var out []string
	for _, part := range p.Parts[1:] {
		out = append(out, part.Field+" "+part.Level+" "+inBits(part.Weight))
	}
	if p.Veto != "" {
		out = append(out, p.Veto)
	}
	return strings.Join(out, "; ")
}

// inBits writes a weight with its sign, in bits.
func inBits(w weight.Milli) string { return fmt.Sprintf("%+.1f", w.Bits()) }
