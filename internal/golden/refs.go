package golden

import (
	"encoding/hex"
	"strings"

	"touchstone/internal/record"
)

// FieldRef says where a published value came from, without the value.
type FieldRef struct {
	From    []string `json:"from"` // as in Provenance
	Version int      `json:"version"`
	Rule    string   `json:"rule,omitempty"`
	// At holds, for each entry of a united list, the version of the first source
	// record named for it and the entry's place in that record's list.
	At   [][2]int `json:"at,omitempty"`
	Pin  string   `json:"pin,omitempty"`  // the decision that pinned it
	Maps []string `json:"maps,omitempty"` // decisions on values that were asked for it
	Hash string   `json:"hash,omitempty"` // keyed, of the value's canonical JSON
}

// Refs gives the references of a golden record that was built of these members.
// Values are those it was built with; keyed is the hash for values, and keeps nothing
// of what it is given.
func Refs(members []Member, rec Record, values Values, keyed func(value []byte) []byte) map[string]FieldRef {
	byRef := make(map[string]Authored, len(members))
	for _, m := range members {
		byRef[m.Ref.Word()] = m.Authored
	}
	out := make(map[string]FieldRef, len(rec.Provenance))
	var room []byte
	for name, p := range rec.Provenance {
		v := rec.Fields[name]
		room = v.AppendJSON(room[:0])
		r := FieldRef{From: p.From, Version: p.Version, Rule: p.Rule, Pin: p.Pin, Maps: p.Maps, Hash: hex.EncodeToString(keyed(room)[:8])}
		if p.Rule == string(Union) {
			for i, from := range p.From {
				first, _, _ := strings.Cut(from, " ")
				f := byRef[first][name]
				list, _ := values.Replace(name, f.Value)
				r.At = append(r.At, [2]int{f.Version, place(list, v.Points[i])})
			}
		}
		out[name] = r
	}
	return out
}

func place(list record.Value, p record.Point) int {
	for i, x := range Entries(list) {
		if x.Equal(p) {
			return i
		}
	}
	return -1
}
