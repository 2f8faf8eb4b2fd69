package pipeline

import (
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"slices"

	"touchstone/config"
	"touchstone/internal/expr"
	"touchstone/internal/store"
)

// Around is what a mapping is given of the rest of the configuration.
type Around struct {
	// Tables: name → key (see expr.LookupKey) → meaning.
	Tables map[string]map[string]string
	// UID gives a source's uid by its name; nil where only the names count.
	UID func(name string) string
	// End gives the entity at the other end of an entity's relation.
	End func(entity, relation string) string
}

// Tables gives a configuration's tables as expressions ask them.
func Tables(cfg *config.Config) map[string]map[string]string {
	out := make(map[string]map[string]string, len(cfg.Tables))
	for _, t := range cfg.Tables {
		m := make(map[string]string, len(t.Rows.Rows))
		for _, r := range t.Rows.Rows {
			m[expr.LookupKey(r.From)] = r.To
		}
		out[t.Name] = m
	}
	return out
}

func nearOf(around []Around) Around {
	if len(around) == 0 {
		return Around{}
	}
	return around[0]
}

// uid is the uid of the named source; of src itself for no name.
func (a Around) uid(src config.Source, name string) string {
	if name == "" {
		name = src.Name
	}
	if a.UID == nil {
		return name
	}
	return a.UID(name)
}

// vars are the variables of expressions over one object.
func (a Around) vars(name string) map[string]any {
	return map[string]any{name: map[string]any{}, expr.LookupsVar: &expr.Lookups{Tables: a.Tables}}
}

// tableHash is a hash of a table's rows.
func tableHash(t map[string]string) string {
	h := fnv.New128a()
	for _, k := range sortedNames(t) {
		fmt.Fprintf(h, "%d:%s=%d:%s\n", len(k), k, len(t[k]), t[k])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// misses gathers what tables do not know, each once.
type misses struct{ list []store.Miss }

// mostMisses bounds what one record adds to the list, and maxMiss a value's
// length in bytes: a table that is asked for free text is a mistake.
const (
	mostMisses = 20
	maxMiss    = 200
)

func (m *misses) add(table, value string) {
	if len(value) > maxMiss {
		value = string([]rune(value)[:maxMiss/4]) + "…"
	}
	one := store.Miss{Table: table, Value: value}
	if len(m.list) < mostMisses && !slices.Contains(m.list, one) {
		m.list = append(m.list, one)
	}
}

// lookupVars are the values of one run.
func lookupVars(tables map[string]map[string]string, m *misses, name string, value any) map[string]any {
	vars := map[string]any{name: value}
	if len(tables) > 0 {
		l := &expr.Lookups{Tables: tables}
		if m != nil {
			l.Miss = m.add
		}
		vars[expr.LookupsVar] = l
	}
	return vars
}
