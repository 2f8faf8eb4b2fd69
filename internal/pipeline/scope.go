package pipeline

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"touchstone/config"
	"touchstone/internal/expr"
	"touchstone/internal/record"
	"touchstone/internal/store"
)

// scopeVersion changes when the same definition of a scope means other customers.
const scopeVersion = "1"

// NewScope compiles a scope of the configuration. Failed is told, once, that the
// condition could not be worked out for a customer, who is then out of reach.
func NewScope(s config.Scope, around Around, failed func(error)) (store.ReachScope, []config.Problem) {
	c := &compiler{vars: scopeVars(around), tables: around.Tables}
	where := c.compile(s.Where, expr.Any)
	uids := make([]string, len(s.Sources))
	for i, name := range s.Sources {
		if uids[i] = name; around.UID != nil {
			uids[i] = around.UID(name)
		}
	}
	slices.Sort(uids)
	entities := slices.Sorted(slices.Values(s.Entities))
	h := sha256.Sum256([]byte(fmt.Sprintf("%s\n%q\n%q\n%s", scopeVersion, uids, entities, c.text.String())))
	once := &sync.Once{}
	return store.ReachScope{Hash: hex.EncodeToString(h[:16]), Holds: func(entity string, fields []byte, sources []string) bool {
		if len(entities) > 0 && !slices.Contains(entities, entity) {
			return false
		}
		if len(uids) > 0 && !slices.ContainsFunc(sources, func(uid string) bool { return slices.Contains(uids, uid) }) {
			return false
		}
		if where == nil {
			return true
		}
		var f record.Fields
		err := json.Unmarshal(fields, &f)
		var v any
		if err == nil {
			v, err = where.Run(scopeView(around, entity, f))
		}
		if err != nil {
			once.Do(func() { failed(err) })
			return false
		}
		return truth(v)
	}}, c.problems
}

// scopePlaces are the parts of an address that scopes name alone.
func scopePlaces() []string { return []string{"city", "region", "district", "postcode", "country"} }

// scopeVars is what a scope's condition may name.
func scopeVars(around Around) map[string]any {
	vars := around.vars("golden")
	vars["entity"] = nil
	for _, entity := range []string{record.Company, record.Person} {
		for _, spec := range record.Specs(entity) {
			vars[spec.Name] = nil
		}
	}
	for _, name := range scopePlaces() {
		vars[name] = nil
	}
	return vars
}

// scopeView is a customer as a scope's condition sees it.
func scopeView(around Around, entity string, f record.Fields) map[string]any {
	golden := make(map[string]any, len(f))
	for name, v := range f {
		golden[name] = viewValue(v)
	}
	vars := lookupVars(around.Tables, nil, "golden", golden)
	for _, e := range []string{record.Company, record.Person} {
		for _, spec := range record.Specs(e) {
			vars[spec.Name] = golden[spec.Name]
		}
	}
	var parts map[string]string
	if list := f["addresses"].Points; len(list) > 0 {
		parts = list[0].Parts
	}
	for _, name := range scopePlaces() {
		if vars[name] == nil {
			vars[name] = textOrNil(parts[name])
		}
	}
	vars["entity"] = entity
	return vars
}

func textOrNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}
