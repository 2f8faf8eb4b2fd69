package app

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"touchstone/config"
	"touchstone/internal/record"
)

// seenPath is a field of a source's own records, as a sample shows it.
type seenPath struct {
	Path    string   `json:"path"`  // address.city, tags[]
	Types   []string `json:"types"` // text, number, bool, null, object, list
	Filled  int      `json:"filled"`
	First   string   `json:"first"`             // when it was first seen
	Changed string   `json:"changed,omitempty"` // when it had other types than before
	Gone    string   `json:"gone,omitempty"`    // since when it is in no record of the sample
}

const (
	sampleRecords = 200
	samplePaths   = 300
	sampleDepth   = 6
)

// seenFields looks at the records that landed last, and compares with what was
// seen before.
func (a *App) seenFields(ctx context.Context, s *system, entity string, before []seenPath, now string) ([]seenPath, int, error) {
	raws, err := a.Store.RawSample(ctx, s.uid, entity, sampleRecords)
	if err != nil {
		return nil, 0, err
	}
	found := map[string]*seenPath{}
	for _, raw := range raws {
		obj, err := record.DecodeObject(raw)
		if err != nil {
			continue // it landed and is told elsewhere
		}
		walkPaths("", obj, 0, found)
	}
	var list []seenPath
	for _, p := range found {
		p.First = now
		slices.Sort(p.Types)
		if i := slices.IndexFunc(before, func(b seenPath) bool { return b.Path == p.Path }); i >= 0 {
			b := before[i]
			p.First, p.Changed = b.First, b.Changed
			if !slices.Equal(b.Types, p.Types) && len(raws) > 0 {
				p.Changed = now
			}
		}
		list = append(list, *p)
	}
	for _, b := range before {
		if found[b.Path] == nil && len(list) < 2*samplePaths {
			b.Filled, b.Gone = 0, cmp.Or(b.Gone, now)
			list = append(list, b)
		}
	}
	slices.SortFunc(list, func(x, y seenPath) int { return cmp.Compare(x.Path, y.Path) })
	return list, len(raws), nil
}

func walkPaths(at string, v any, depth int, found map[string]*seenPath) {
	kind := "text"
	switch v := v.(type) {
	case map[string]any:
		kind = "object"
		if depth < sampleDepth {
			for _, k := range slices.Sorted(maps.Keys(v)) {
				walkPaths(join(at, k), v[k], depth+1, found)
			}
		}
	case []any:
		kind = "list"
		if depth < sampleDepth {
			for _, x := range v[:min(len(v), 20)] {
				walkPaths(at+"[]", x, depth+1, found)
			}
		}
	case nil:
		kind = "null"
	case bool:
		kind = "bool"
	case json.Number, float64, int:
		kind = "number"
	}
	if at == "" {
		return
	}
	p := found[at]
	if p == nil {
		if len(found) >= samplePaths {
			return
		}
		p = &seenPath{Path: at}
		found[at] = p
	}
	if !slices.Contains(p.Types, kind) {
		p.Types = append(p.Types, kind)
	}
	if s, text := v.(string); v != nil && (!text || strings.TrimSpace(s) != "") {
		p.Filled++
	}
}

// mappedTo lists the fields of ours whose expressions name a field of the
// source: by its first member, since an expression may take the whole of it.
func mappedTo(e config.SourceEntity, path string) (fields []string) {
	first, _, _ := strings.Cut(strings.ReplaceAll(path, "[]", ""), ".")
	add := func(name string, x config.Expr) {
		if mentioned(x.Text, first) && !slices.Contains(fields, name) {
			fields = append(fields, name)
		}
	}
	for name, x := range map[string]config.Expr{"id": e.ID, "stamp": e.Stamp, "version": e.Version, "deleted": e.Deleted, "where": e.Where} {
		add("("+name+")", x)
	}
	slices.Sort(fields)
	var walk func(name string, v config.MapValue)
	walk = func(name string, v config.MapValue) {
		add(name, v.Expr)
		for _, p := range v.Parts {
			walk(name, p.Value)
		}
		for _, it := range v.Items {
			walk(name, it)
		}
	}
	for _, m := range e.Map {
		walk(m.Name, m.Value)
	}
	for _, r := range e.Relations {
		text := fmt.Sprintf("%+v", r)
		if mentioned(text, first) && !slices.Contains(fields, "→ "+r.Name) {
			fields = append(fields, "→ "+r.Name)
		}
	}
	return fields
}

// mentioned says whether a word stands in an expression by itself.
func mentioned(text, word string) bool {
	for at := 0; word != ""; {
		i := strings.Index(text[at:], word)
		if i < 0 {
			return false
		}
		i += at
		before, after := []rune(text[:i]), []rune(text[i+len(word):])
		if (len(before) == 0 || !partOfWord(before[len(before)-1])) && (len(after) == 0 || !partOfWord(after[0])) {
			return true
		}
		at = i + len(word)
	}
	return false
}

func partOfWord(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }
