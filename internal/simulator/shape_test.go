package simulator

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// shapeOf names a JSON value's type.
func shapeOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "text"
	case bool:
		return "bool"
	case json.Number, float64:
		return "number"
	case []any:
		return "list"
	}
	return "object"
}

// unlike lists where our answer differs in shape from recorded ones: a member
// that each of them has and ours lacks, another type, an empty list where none
// of theirs is. free paths hold what customers define.
func unlike(recorded []any, ours any, path string, free func(string) bool) []string {
	if free(path) {
		return nil
	}
	types := map[string]bool{}
	for _, r := range recorded {
		types[shapeOf(r)] = true
	}
	onlyNull := len(types) == 1 && types["null"]
	if !types[shapeOf(ours)] && !onlyNull {
		return []string{fmt.Sprintf("%s is a %s, recorded %v", path, shapeOf(ours), slices.Sorted(maps.Keys(types)))}
	}
	var wrong []string
	switch ours := ours.(type) {
	case map[string]any:
		var members []string
		var objects []map[string]any
		for _, r := range recorded {
			if m, ok := r.(map[string]any); ok {
				objects = append(objects, m)
				members = append(members, slices.Collect(maps.Keys(m))...)
			}
		}
		slices.Sort(members)
		for _, k := range slices.Compact(members) {
			var values []any
			for _, m := range objects {
				if v, ok := m[k]; ok {
					values = append(values, v)
				}
			}
			v, ok := ours[k]
			switch {
			case ok:
				wrong = append(wrong, unlike(values, v, path+"."+k, free)...)
			case len(values) == len(objects) && !free(path+"."+k):
				wrong = append(wrong, path+"."+k+" is missing")
			}
		}
	case []any:
		var items []any
		filled := true
		for _, r := range recorded {
			list, _ := r.([]any)
			items = append(items, list...)
			filled = filled && len(list) > 0
		}
		if filled && len(ours) == 0 {
			wrong = append(wrong, path+" is empty, recorded it never is")
		}
		if len(items) > 0 {
			for i, v := range ours {
				wrong = append(wrong, unlike(items, v, fmt.Sprintf("%s[%d]", path, i), free)...)
			}
		}
	}
	return wrong
}

func recorded(t *testing.T, names ...string) []any {
	t.Helper()
	var list []any
	for _, n := range names {
		b, err := os.ReadFile(filepath.Join("testdata", "recorded", n+".json"))
		if err != nil {
			t.Fatal(err)
		}
		m, err := decodeObject(b)
		if err != nil {
			t.Fatalf("%s: %v", n, err)
		}
		list = append(list, m)
	}
	return list
}

func TestUnlikeSeesEachDifference(t *testing.T) {
	tests := []struct{ name, recorded, ours, want string }{
		{"equal", `{"a":[{"b":1}],"c":null}`, `{"a":[{"b":2,"more":1}],"c":"x"}`, ""},
		{"missing", `{"a":{"b":1}}`, `{"a":{}}`, ".a.b is missing"},
		{"type", `{"a":1}`, `{"a":"1"}`, ".a is a text, recorded [number]"},
		{"null where never null", `{"a":"x"}`, `{"a":null}`, ".a is a null, recorded [text]"},
		{"in a list", `{"a":[{"b":1}]}`, `{"a":[{"b":1},{"b":true}]}`, ".a[1].b is a bool, recorded [number]"},
		{"empty list", `{"a":[1]}`, `{"a":[]}`, ".a is empty, recorded it never is"},
		{"free", `{"a":{"fields":{"x":1}}}`, `{"a":{"fields":{}}}`, ""},
	}
	for _, tt := range tests {
		var r, o any
		if err := json.Unmarshal([]byte(tt.recorded), &r); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(tt.ours), &o); err != nil {
			t.Fatal(err)
		}
		got := strings.Join(unlike([]any{r}, o, "", freePath), "; ")
		if got != tt.want {
			t.Errorf("%s: unlike(%s, %s) = %q, want %q", tt.name, tt.recorded, tt.ours, got, tt.want)
		}
	}
}

// freePath says which members customers define, not the vendor.
func freePath(path string) bool {
	if i := strings.LastIndex(path, ".properties."); i >= 0 {
		name := path[i+len(".properties."):]
		return name != "hs_object_id" && name != "createdate" && name != "lastmodifieddate"
	}
	for _, part := range []string{".fields", ".user_fields", ".organization_fields", ".custom_fields", ".details"} {
		if strings.Contains(path, part+".") || strings.Contains(path, part+"[") {
			return true
		}
	}
	return false
}

// TestAnswersHaveTheRecordedShape brings each system into the situation of a
// recorded reply and compares.
func TestAnswersHaveTheRecordedShape(t *testing.T) {
	hs := openVendor(t, HubSpot(), hsSeed())
	hs.do("POST", "/crm/v3/objects/contacts", `{"properties":{"email":"b@example.com","firstname":"B"}}`)
	zd := openVendor(t, Zendesk(), zdSeed())
	gl := openVendor(t, GLEIF(), leiSeed())
	tests := []struct {
		recorded []string
		rig      *vendorRig
		method   string
		path     string
		body     string
		status   int
	}{
		{[]string{"hubspot/list"}, hs, "GET", "/crm/v3/objects/contacts?limit=1", "", 200},
		{[]string{"hubspot/search-page"}, hs, "POST", "/crm/v3/objects/contacts/search", `{"limit":"1","properties":["email"]}`, 200},
		{[]string{"hubspot/search-last-page"}, hs, "POST", "/crm/v3/objects/contacts/search", `{"limit":200}`, 200},
		{[]string{"hubspot/unknown-type"}, hs, "POST", "/crm/v3/objects/butterflies/search", `{}`, 400},
		{[]string{"hubspot/batch-read"}, hs, "POST", "/crm/v3/objects/contacts/batch/read", `{"inputs":[{"id":"501001"}]}`, 200},
		{[]string{"hubspot/associations"}, hs, "POST", "/crm/v4/associations/contacts/companies/batch/read", `{"inputs":[{"id":"501001"},{"id":"501002"}]}`, 207},
		{[]string{"hubspot/batch-create-success"}, hs, "POST", "/crm/v3/objects/contacts/batch/create", `{"inputs":[{"properties":{"email":"n1@example.com"}}]}`, 201},
		{[]string{"hubspot/batch-create-err-partial-success"}, hs, "POST", "/crm/v3/objects/contacts/batch/create", `{"inputs":[{"objectWriteTraceId":"0","properties":{"email":"ada@example.com"}},{"objectWriteTraceId":"1","properties":{"email":"n2@example.com"}}]}`, 207},
		{[]string{"hubspot/batch-create-conflict"}, hs, "POST", "/crm/v3/objects/contacts/batch/create", `{"inputs":[{"properties":{"email":"ada@example.com"}}]}`, 409},
		{[]string{"hubspot/batch-create-err-many-invalid-properties"}, hs, "POST", "/crm/v3/objects/contacts/batch/create", `{"inputs":[{"properties":{"first000name":"x","last000name":"y"}}]}`, 400},
		{[]string{"hubspot/batch-update-success"}, hs, "POST", "/crm/v3/objects/contacts/batch/update", `{"inputs":[{"id":"501001","properties":{"lastname":"King"}}]}`, 200},
		{[]string{"hubspot/batch-update-err-partial-success"}, hs, "POST", "/crm/v3/objects/contacts/batch/update", `{"inputs":[{"id":"501001","properties":{"lastname":"Byron"}},{"id":"unknownIdentifier888"}]}`, 207},
		{[]string{"hubspot/batch-update-err-many-invalid-properties"}, hs, "POST", "/crm/v3/objects/contacts/batch/update", `{"inputs":[{"id":"501001","properties":{"first000name":"x"}}]}`, 400},
		{[]string{"hubspot/batch-update-duplicate-ids"}, hs, "POST", "/crm/v3/objects/contacts/batch/update", `{"inputs":[{"id":"501001"},{"id":"501001"}]}`, 400},
		{[]string{"zendesk/users-page", "zendesk/users-last-page"}, zd, "GET", "/api/v2/incremental/users/cursor.json?start_time=0&per_page=1", "", 200},
		{[]string{"zendesk/users-page", "zendesk/users-last-page"}, zd, "GET", "/api/v2/incremental/users/cursor?start_time=0", "", 200},
		{[]string{"zendesk/organizations"}, zd, "GET", "/api/v2/incremental/organizations.json?start_time=0", "", 200},
		{[]string{"zendesk/tickets"}, zd, "GET", "/api/v2/incremental/tickets/cursor.json?start_time=0", "", 200},
		{[]string{"zendesk/no-endpoint"}, zd, "GET", "/api/v2/butterflies.json", "", 404},
		{[]string{"zendesk/missing-parameter"}, zd, "GET", "/api/v2/incremental/users/cursor.json", "", 400},
		{[]string{"zendesk/record-validation"}, zd, "POST", "/api/v2/users.json", `{"user":{"name":"","email":"nothing"}}`, 422},
		{[]string{"gleif/record"}, gl, "GET", "/api/v1/lei-records/" + LEI(1), "", 200},
		{[]string{"gleif/list"}, gl, "GET", "/api/v1/lei-records?filter[lei]=" + LEI(1) + "," + LEI(2), "", 200},
		{[]string{"gleif/empty"}, gl, "GET", "/api/v1/lei-records?filter[lei]=none", "", 200},
		{[]string{"gleif/fuzzy"}, gl, "GET", "/api/v1/fuzzycompletions?field=entity.legalName&q=Analytcal+Engnes", "", 200},
	}
	for _, tt := range tests {
		r := tt.rig.do(tt.method, tt.path, tt.body)
		if r.status != tt.status {
			t.Errorf("%s %s %s: status %d, want %d: %s", tt.method, tt.path, tt.body, r.status, tt.status, r.raw)
			continue
		}
		for _, wrong := range unlike(recorded(t, tt.recorded...), r.body, "", freePath) {
			t.Errorf("%s %s: unlike %v: %s", tt.method, tt.path, tt.recorded, wrong)
		}
	}
	if err := zd.sys.SetFaults([]Fault{{Kind: DieAtPage, Page: 1, Next: 1}}); err != nil {
		t.Fatal(err)
	}
	r := zd.do("GET", "/api/v2/users.json", "")
	if wrong := unlike(recorded(t, "zendesk/server-error"), r.body, "", freePath); r.status != http.StatusInternalServerError || wrong != nil {
		t.Errorf("a server error is %d %s: %v", r.status, r.raw, wrong)
	}
}
