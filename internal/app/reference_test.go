package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"touchstone/internal/simulator"
	"touchstone/internal/store"
)

// linked is a system whose contacts name their company by its id, whose
// companies name their parent, and which holds tickets.
func linked(name string) simulator.Profile {
	text := func(names string) map[string]simulator.Kind {
		m := map[string]simulator.Kind{}
		for f := range strings.FieldsSeq(names) {
			m[f] = simulator.Text
		}
		return m
	}
	return simulator.Profile{
		Name: name, Token: "token-of-" + name, ETag: true, UniqueExternalID: true, IdempotencyKeys: true,
		Objects: []simulator.Object{
			{Name: "companies", Prefix: "c", Fields: text("name website city parent_id sector")},
			{Name: "contacts", Prefix: "p", Fields: text("name email company_id title role")},
			{Name: "tickets", Prefix: "t", Fields: text("subject status requester_id company_id opened_at amount currency kind")},
		},
	}
}

// linkedSource is its configuration.
func linkedSource(name, url string) string {
	stream := func(name, path string) string {
		return strings.NewReplacer("NAME", name, "PATH", path).Replace(`
      NAME:
        list: {path: /PATH, query: {limit: "100", updated_since: "{{ cursor }}"}, records: 'body.items'}
        paginator: {type: cursor, token: 'body.next_cursor', inject: {query: cursor}}
        incremental: {cursor: 'record.updated_at', inclusive: true}
        id: 'record.id'
        version: 'record.etag'
        stamp: 'record.updated_at'
        deleted: 'record.deleted'
        read: {path: '/PATH/{{ id }}', record: 'body'}
        find_by_key: {path: /PATH, query: {external_id: '{{ key }}'}, records: 'body.items'}
        create: {method: POST, path: /PATH, external_key: external_id, record: 'body'}
        upsert: {method: PUT, path: '/PATH/by-external-id/{{ key }}', record: 'body'}
        update: {method: PATCH, path: '/PATH/{{ id }}', record: 'body'}
        precondition: etag
        idempotency: Idempotency-Key
        class: {key_life: 24h, unique_key: true, searchable: true, max_request_life: 60s}
        success: 'body.error == nil'`)
	}
	return strings.NewReplacer("NAME", name, "URL", url).Replace(`
  NAME:
    type: rest
    base_url: "URL"
    auth: {type: bearer, token: token-of-NAME}
    streams:` + stream("company", "companies") + stream("person", "contacts") + stream("tickets", "tickets") + `
    error_handler:
      - {status: 409, when: 'body.error.code == "duplicate"', class: exists, id: 'body.error.existing_id'}
      - {status: 412, class: conflict}
      - {status: 422, class: rejected}
    entities:
      company:
        map: {name: 'record.name', website: 'record.website', industry: 'lookup("sector", record.sector)', address: {city: 'record.city'}}
        relations: {parent: {to: company, id: 'record.parent_id'}}
        volatile: [/etag, /updated_at]
      person:
        map: {full_name: 'record.name', email: 'record.email', title: 'record.title'}
        relations: {employer: {to: company, id: 'record.company_id', title: 'record.title'}}
        volatile: [/etag, /updated_at]
    events:
      ticket:
        stream: tickets
        id: 'record.id'
        of: [{entity: person, id: 'record.requester_id'}, {entity: company, id: 'record.company_id'}]
        at: 'record.opened_at'
        stamp: 'record.updated_at'
        deleted: 'record.deleted'
        map: {subject: 'record.subject', status: 'record.status', amount: 'record.amount', currency: 'record.currency'}
        volatile: [/etag, /updated_at]`)
}

const (
	linkedTables = `
tables: {sector: {软件: software, Machines: machines}}
`
	linkedTargets = `
targets:
  desk_companies:
    system: desk
    entity: company
    policy: upsert
    owns: [name, parent_id]
    map: {name: 'golden.name', website: 'golden.website', city: 'golden.addresses[0].city'}
    references: {parent_id: {relation: parent}}
    where: 'golden.industry != "machines"'
    brake: 100%
    approve: auto
  desk_people:
    system: desk
    entity: person
    policy: upsert
    owns: [name, company_id]
    map: {name: 'golden.full_name', email: 'golden.emails[0].value'}
    references: {company_id: {relation: employer}}
    brake: 100%
    approve: auto
`
)

// linkedWorld is a crm and a desk of that kind; the desk is written to.
func linkedWorld(t *testing.T, dsn string, crm, desk simulator.Seed) (w *world, c, d *simulated) {
	t.Helper()
	w = newWorld(t, dsn)
	c, d = w.startSeeded(linked("crm"), crm), w.startSeeded(linked("desk"), desk)
	w.yaml = linkedTables + "sources:" + linkedSource("crm", c.url) + linkedSource("desk", d.url) + linkedTargets
	return w, c, d
}

// rows of a seed, all of one day.
func seeded(rows ...string) (list []json.RawMessage) {
	for _, r := range rows {
		list = append(list, json.RawMessage(strings.Replace(r, "{", `{"updated_at":"2026-01-02T00:00:00Z",`, 1)))
	}
	return list
}

// set is a person's change of one object.
func (s *simulated) set(object, id string, fields map[string]any) string {
	s.t.Helper()
	return s.admin(http.MethodPost, "edit", map[string]any{"object": object, "id": id, "fields": fields})
}

// held is every live object of a kind by its name.
func (s *simulated) held(object string) map[string]map[string]any {
	out := map[string]map[string]any{}
	for _, o := range s.all(object) {
		out[fmt.Sprint(o["name"])] = o
	}
	return out
}

// all lists the live objects of a kind.
func (s *simulated) all(object string) (live []map[string]any) {
	s.t.Helper()
	b, err := s.sys.State()
	if err != nil {
		s.t.Fatal(err)
	}
	var state map[string]json.RawMessage
	if err := json.Unmarshal(b, &state); err != nil {
		s.t.Fatal(err)
	}
	var list struct{ Items []map[string]any }
	if err := json.Unmarshal(state[object], &list); err != nil {
		s.t.Fatal(err)
	}
	for _, o := range list.Items {
		if o["deleted"] != true {
			live = append(live, o)
		}
	}
	return live
}

// refers checks that an object's field holds the id of another object of the
// same system.
func (s *simulated) refers(object, name, field, to string) {
	s.t.Helper()
	o, other := s.held(object)[name], s.held("companies")[to]
	if o == nil || other == nil || o[field] != other["id"] {
		s.t.Errorf("%s %q has %s = %v, want the id of %q: %v", object, name, field, o[field], to, other["id"])
	}
}

func TestReferencesAreTheTargetsOwnIDs(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, crm, desk := linkedWorld(t, dsn, simulator.Seed{
			"companies": seeded(`{"id":"c7","name":"Acme Tools Ltd","website":"acmetools.example"}`),
			"contacts":  seeded(`{"id":"p3","name":"Ada Lovelace","email":"ada@example.com","company_id":"c7"}`, `{"id":"p4","name":"Grace Hopper","email":"grace@example.com","company_id":"c9"}`),
		}, simulator.Seed{"companies": seeded(`{"id":"c1","name":"Unrelated Bakery","website":"bakery.example"}`)})
		w.open()
		// Parents first: the contact waits in the plan until its company is there.
		w.plan()
		waiting := map[string]string{}
		for _, r := range w.rows("desk_people", store.Pending) {
			waiting[string(r.Fields["name"])] = r.Error
		}
		acme := w.golden("crm/company/c7").ID
		if got, want := waiting[`"Ada Lovelace"`], "waits until "+acme+" has been created there, to refer to it"; got != want {
			t.Errorf("the contact's row says %q, want %q", got, want)
		}
		if got, ok := waiting[`"Grace Hopper"`]; !ok || got != "" {
			t.Errorf("a contact whose company nobody knows: row %v says %q, want a row that waits for nothing", ok, got)
		}
		w.clean()
		desk.refers("contacts", "Ada Lovelace", "company_id", "Acme Tools Ltd")
		if got := desk.held("contacts")["Grace Hopper"]["company_id"]; got != nil {
			t.Errorf("the contact without a known company refers to %v", got)
		}
		writes := 0
		for _, a := range desk.applied("api") {
			if a.Object == "contacts" {
				writes++
			}
		}
		if writes != 2 {
			t.Errorf("%d writes of contacts, want 2: each created once, with its reference", writes)
		}
		// The company comes later: the contact is updated.
		crm.set("companies", "", map[string]any{"name": "Harbour Bakery", "website": "harbour.example"})
		id := crm.held("companies")["Harbour Bakery"]["id"]
		crm.set("contacts", "p4", map[string]any{"company_id": id})
		w.clean()
		desk.refers("contacts", "Grace Hopper", "company_id", "Harbour Bakery")
		// Another employer, and none.
		crm.set("contacts", "p4", map[string]any{"company_id": "c7"})
		w.clean()
		desk.refers("contacts", "Grace Hopper", "company_id", "Acme Tools Ltd")
		crm.set("contacts", "p4", map[string]any{"company_id": nil})
		w.clean()
		if got := desk.held("contacts")["Grace Hopper"]["company_id"]; got != nil {
			t.Errorf("the contact has left, and refers to %v", got)
		}
		w.end()
	})
}

// TestReferencesFollowAMerge: two companies become one, the contacts of both
// refer to one object of the target.
func TestReferencesFollowAMergeAndASplit(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, _, desk := linkedWorld(t, dsn, simulator.Seed{
			"companies": seeded(`{"id":"c7","name":"Acme Tools Ltd","website":"acmetools.example"}`, `{"id":"c8","name":"Northern Steel","website":"steel.example"}`),
			"contacts":  seeded(`{"id":"p3","name":"Ada Lovelace","email":"ada@example.com","company_id":"c7"}`, `{"id":"p4","name":"Grace Hopper","email":"grace@example.com","company_id":"c8"}`),
		}, nil)
		w.open()
		w.clean()
		desk.refers("contacts", "Grace Hopper", "company_id", "Northern Steel")
		first := desk.held("contacts")["Ada Lovelace"]["company_id"]
		ruling := w.rule("must", "crm/company/c7", "crm/company/c8")
		w.clean()
		for _, name := range []string{"Ada Lovelace", "Grace Hopper"} {
			if got := desk.held("contacts")[name]["company_id"]; got != first {
				t.Errorf("after the merge %s refers to %v, want %v", name, got, first)
			}
		}
		w.end()
		if err := w.app.Store.Withdraw(t.Context(), ruling, "steward"); err != nil {
			t.Fatal(err)
		}
		w.clean()
		a, b := desk.held("contacts")["Ada Lovelace"]["company_id"], desk.held("contacts")["Grace Hopper"]["company_id"]
		if a == b || a == nil || b == nil {
			t.Errorf("after the split the contacts refer to %v and %v, want two companies", a, b)
		}
		w.end()
	})
}

// TestReferencesInACircleTakeTwoSteps: each of two companies is the other's
// parent, so that one has to be created without it.
func TestReferencesInACircleTakeTwoSteps(t *testing.T) {
	for _, opts := range []Options{{}, {Batch: 1}, {Batch: 1, Bulk: 1}} {
		t.Run(fmt.Sprintf("batch %d bulk %d", opts.Batch, opts.Bulk), func(t *testing.T) { circle(t, opts) })
	}
}

func circle(t *testing.T, opts Options) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, _, desk := linkedWorld(t, dsn, simulator.Seed{
			"companies": seeded(`{"id":"c7","name":"Acme Tools Ltd","website":"acmetools.example","parent_id":"c8"}`, `{"id":"c8","name":"Northern Steel","website":"steel.example","parent_id":"c9"}`,
				`{"id":"c9","name":"Zephyr Holding","website":"zephyr.example","parent_id":"c7"}`),
		}, nil)
		w.opts = opts
		w.open()
		w.clean()
		desk.refers("companies", "Acme Tools Ltd", "parent_id", "Northern Steel")
		desk.refers("companies", "Northern Steel", "parent_id", "Zephyr Holding")
		desk.refers("companies", "Zephyr Holding", "parent_id", "Acme Tools Ltd")
		if n := len(desk.applied("api")); n != 4 {
			t.Errorf("%d writes, want 3 creates and 1 update: %q", n, desk.changes())
		}
		w.end()
	})
}

// TestParentThatIsRefusedHoldsNobodyUp: the target will not take the company.
func TestParentThatIsRefusedHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	w, _, desk := linkedWorld(t, "", simulator.Seed{
		"companies": seeded(`{"id":"c7","name":"Acme Tools Ltd","website":"acmetools.example"}`),
		"contacts":  seeded(`{"id":"p3","name":"Ada Lovelace","email":"ada@example.com","company_id":"c7"}`),
	}, nil)
	desk.before = func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPut || !strings.HasPrefix(r.URL.Path, "/companies/") {
			return false
		}
		rw.WriteHeader(http.StatusUnprocessableEntity)
		_, _ = rw.Write([]byte(`{"error":{"code":"invalid"}}`))
		return true
	}
	w.open()
	w.clean()
	w.later(1)
	if o := desk.held("contacts")["Ada Lovelace"]; o == nil || o["company_id"] != nil {
		t.Errorf("the contact is %v, want it created without a company", o)
	}
	w.end()
}

func TestWhereAndTablesCountWhatTheyLeaveOut(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, crm, desk := linkedWorld(t, dsn, simulator.Seed{
			"companies": seeded(`{"id":"c7","name":"Acme Tools Ltd","website":"acmetools.example","sector":"machines "}`,
				`{"id":"c8","name":"宁波软件有限公司","website":"ningbo.example","sector":"软件"}`, `{"id":"c9","name":"Harbour Bakery","website":"harbour.example","sector":"Bread"}`),
		}, nil)
		w.open()
		s := w.clean()
		w.wantValue("crm/company/c7", "industry", "machines")
		w.wantValue("crm/company/c8", "industry", "software")
		w.wantValue("crm/company/c9", "industry", "")
		if s.LeftOut != 1 || s.Unmapped != 1 || len(s.UnmappedValues) != 1 || s.UnmappedValues[0] != (store.MissCount{Table: "sector", Value: "Bread", Count: 1}) {
			t.Errorf("left out %d, unmapped %d %+v; want 1, and Bread once", s.LeftOut, s.Unmapped, s.UnmappedValues)
		}
		if len(desk.held("companies")) != 2 {
			t.Errorf("the desk holds %v, want all but the machines", desk.held("companies"))
		}
		// Another table derives the records again.
		w.restart(strings.Replace(w.yaml, "Machines: machines", "Machines: tools, bread: food", 1))
		s = w.clean()
		w.wantValue("crm/company/c7", "industry", "tools")
		w.wantValue("crm/company/c9", "industry", "food")
		if s.LeftOut != 0 || s.Unmapped != 0 {
			t.Errorf("after the table changed: left out %d, unmapped %d %+v; want none", s.LeftOut, s.Unmapped, s.UnmappedValues)
		}
		crm.set("companies", "c9", map[string]any{"sector": "machines"})
		w.clean()
		w.wantValue("crm/company/c9", "industry", "tools")
		w.end()
	})
}
