package bench

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"touchstone/internal/app"
	"touchstone/internal/auth"
	"touchstone/internal/demo"
	"touchstone/internal/simulator"
	"touchstone/internal/web"
)

// A world is a store as a large firm's is after some years, kept on disk to be
// asked again: the demo's customers with events, relations, decisions and a plan
// that waits, resolved and written by the program itself, then repeated by SQL
// under other numbers and ids.
const (
	worldCustomer = "shop/company/s1" // has the many events
	worldEvents   = 5000
	worldPassword = "a password of some length"
	// stride parts the numbers of one copy from those of the next.
	stride = 100_000
)

const worldSources = `
  shop:
    type: file
    path: shop.csv
    entities:
      company:
        id: record.id
        map: {name: record.name, email: record.email, phone: record.phone, website: record.site, address: {line: record.line, city: record.city, country: record.country}}
        relations: {parent: {to: company, id: record.parent, share: record.share}}
  shoppers:
    type: file
    path: shoppers.csv
    entities:
      person:
        id: record.id
        map: {full_name: record.name, email: record.email, phone: record.phone}
        relations: {employer: {to: company, source: shop, id: record.company, title: record.title}}
  orders:
    type: file
    path: orders.csv
    events:
      order:
        id: record.id
        of: {entity: company, source: shop, id: record.of}
        at: record.at
        map: {amount: record.amount, currency: record.currency, status: record.status, channel: record.channel, subject: record.subject}
`

const worldTarget = `
  desk_people:
    system: desk
    entity: person
    policy: upsert
    owns: [tel, mail, full_name]
    map:
      tel: 'golden.phones[0].value'
      mail: 'golden.emails[0].value'
      full_name: 'golden.full_name ?? ((golden.given_name ?? "") + " " + (golden.family_name ?? ""))'
`

// worldFiles writes what the world's own sources read.
func worldFiles(b *testing.B, dir string) {
	b.Helper()
	if err := demo.WriteFiles(dir); err != nil {
		b.Fatal(err)
	}
	kinds := strings.Fields("Quartz Bramble Harbour Lantern Meadow Copper Juniper Falcon Saffron Willow")
	trades := strings.Fields("Bakery Foundry Printing Shipping Optics")
	lines(b, filepath.Join(dir, "shop.csv"), "id,name,email,phone,site,line,city,country,parent,share", 60, func(i int) string {
		name := kinds[i%10] + " " + kinds[(i/10+3)%10] + " " + trades[i%5]
		site := strings.ToLower(strings.ReplaceAll(name, " ", "-")) + ".example"
		if i >= 50 {
			name = "" // they do not pass
		}
		parent, share := "", ""
		if i >= 2 && i < 20 {
			parent, share = "s1", "60"
		}
		return fmt.Sprintf("s%d,%s,info@%s,+44 20 7946 %04d,%s,%d High Street,Leeds,GB,%s,%s", i, name, site, i, site, i+1, parent, share)
	})
	given, family := strings.Fields("Ada Boris Clara Dmitri Elena Farid Greta Hugo"), strings.Fields("Marlow Nakata Okafor Petrov Quist Rossi")
	lines(b, filepath.Join(dir, "shoppers.csv"), "id,name,email,phone,company,title", 48, func(i int) string {
		return fmt.Sprintf("p%d,%s %s,shopper%d@example.com,+44 20 7946 1%03d,s%d,Buyer", i, given[i%8], family[i/8], i, i, 1+i/40)
	})
	start := time.Date(2020, 1, 1, 9, 0, 0, 0, time.UTC)
	lines(b, filepath.Join(dir, "orders.csv"), "id,of,at,amount,currency,status,channel,subject", worldEvents+200, func(i int) string {
		of := "s1"
		if i >= worldEvents {
			of = fmt.Sprint("s", 2+i%40)
		}
		return fmt.Sprintf("o%d,%s,%s,%d.50,CNY,paid,web,Order of chair number %d", i, of, start.Add(time.Duration(i)*11*time.Hour).Format(time.RFC3339), i%900, i)
	})
}

// openPages opens the world in dir, its systems being simulated as long as the
// benchmark runs.
func openPages(b *testing.B, dir, dsn string) *app.App {
	b.Helper()
	crm, desk, err := demo.Seeds()
	if err != nil {
		b.Fatal(err)
	}
	start := func(p simulator.Profile, seed simulator.Seed) string {
		sys, err := simulator.Open(filepath.Join(dir, "systems", p.Name), p, seed)
		if err != nil {
			b.Fatal(err)
		}
		srv := httptest.NewServer(sys.Handler())
		b.Cleanup(func() {
			srv.Close()
			if err := sys.Close(); err != nil {
				b.Error(err)
			}
		})
		return srv.URL
	}
	yaml := demo.Config("", demo.Systems{CRM: start(simulator.CRM(), crm), Desk: start(simulator.Desk(), desk)})
	yaml = bytes.Replace(yaml, []byte("\nentities:\n"), []byte(worldSources+"\nentities:\n"), 1)
	yaml = append(bytes.TrimRight(yaml, "\n"), worldTarget...)
	return openWith(b, dir, string(yaml), dsn)
}

// fillWorld makes the world of so many golden records; one that is there is
// taken as it is.
func fillWorld(b *testing.B, dir, dsn string, rows int) {
	b.Helper()
	mark := filepath.Join(dir, fmt.Sprintf("filled-%d", rows))
	switch _, err := os.Stat(mark); {
	case err == nil:
		return
	case !errors.Is(err, fs.ErrNotExist):
		b.Fatal(err)
	}
	for _, sub := range []string{"crm", "desk"} {
		if err := os.MkdirAll(filepath.Join(dir, "systems", sub), 0o750); err != nil {
			b.Fatal(err)
		}
	}
	began := time.Now()
	worldFiles(b, dir)
	ctx := context.Background()
	a := openPages(b, dir, dsn)
	if err := a.Start(ctx); err != nil {
		b.Fatal(err)
	}
	if _, err := a.Pass(ctx, nil); err != nil {
		b.Fatal(err)
	}
	decideWorld(b, a)
	if _, err := a.Pass(ctx, nil); err != nil {
		b.Fatal(err)
	}
	if _, err := a.Measure(ctx); err != nil {
		b.Fatal(err)
	}
	for _, role := range auth.Roles() {
		if _, err := a.People().AddPerson(ctx, web.By{Who: "bench"}, web.NewPerson{Login: string(role), Role: role, Password: worldPassword}); err != nil && role != auth.Machine {
			b.Fatal(err)
		}
	}
	if err := a.Close(); err != nil {
		b.Fatal(err)
	}
	b.Logf("resolved in %.0f s", time.Since(began).Seconds())
	c := openCopier(b, dir, dsn)
	c.world(rows)
	c.close()
	a = openPages(b, dir, dsn)
	if err := a.Store.CountTables(ctx); err != nil {
		b.Fatal(err)
	}
	if err := a.Close(); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(mark, nil, 0o600); err != nil {
		b.Fatal(err)
	}
	b.Logf("a world of %d golden records is made in %.0f s", rows, time.Since(began).Seconds())
}

// decideWorld makes decisions of several kinds.
func decideWorld(b *testing.B, a *app.App) {
	b.Helper()
	ctx, by := context.Background(), app.By{Who: "ann", Why: "looked at both"}
	rec := func(i int) string { return fmt.Sprint("shop/company/s", i) }
	done := func(_ app.Decided, err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	for i := 20; i < 30; i += 2 {
		done(a.Merge(ctx, rec(i), rec(i+1), by))
		done(a.Unsure(ctx, rec(i), rec(i+12), by))
		done(a.Relate(ctx, app.Relate{From: rec(i), Kind: app.Partner, To: rec(i + 12)}, by))
		done(a.Relate(ctx, app.Relate{From: fmt.Sprint("shoppers/person/p", i), Kind: app.BuyingRole, To: worldCustomer, Role: "decider"}, by))
	}
}

// copier repeats rows of a store by SQL.
type copier struct {
	*testing.B
	db       *sql.DB
	postgres bool
	columns  map[string][]string
}

func openCopier(b *testing.B, dir, dsn string) *copier {
	b.Helper()
	c := &copier{B: b, db: openDB(b, dir, dsn, "?_journal_mode=OFF&_synchronous=OFF&_cache_size=-400000"), postgres: dsn != "", columns: map[string][]string{}}
	c.db.SetMaxOpenConns(1)
	return c
}

func (c *copier) close() {
	c.Helper()
	if err := c.db.Close(); err != nil {
		c.Fatal(err)
	}
}

func (c *copier) exec(q string) {
	c.Helper()
	if _, err := c.db.ExecContext(context.Background(), q); err != nil {
		c.Fatalf("%v\n%s", err, q)
	}
}

func (c *copier) count(q string) (n int) {
	c.Helper()
	if err := c.db.QueryRowContext(context.Background(), q).Scan(&n); err != nil {
		c.Fatalf("%v\n%s", err, q)
	}
	return n
}

// copy repeats the rows of a table that where chooses for n = from … to, with
// changed columns: "@" stands for n strides.
func (c *copier) copy(table, where string, from, to int, changed map[string]string) {
	c.Helper()
	began := time.Now()
	if c.columns[table] == nil {
		c.columns[table] = c.columnsOf(table)
	}
	var values []string
	for _, name := range c.columns[table] {
		v, found := changed[name]
		if !found {
			v = "t." + name
		}
		values = append(values, strings.ReplaceAll(v, "@", fmt.Sprintf("+ nums.n * %d", stride)))
	}
	c.exec(fmt.Sprintf(`WITH RECURSIVE nums(n) AS (SELECT %d UNION ALL SELECT n + 1 FROM nums WHERE n < %d) INSERT INTO %s (%s) SELECT %s FROM nums CROSS JOIN %[3]s t WHERE %[6]s`,
		from, max(from, to), table, strings.Join(c.columns[table], ", "), strings.Join(values, ", "), where))
	c.Logf("%s: %.1f s", table, time.Since(began).Seconds())
}

func (c *copier) columnsOf(table string) []string {
	c.Helper()
	rows, err := c.db.QueryContext(context.Background(), `SELECT * FROM `+table+` LIMIT 0`)
	if err != nil {
		c.Fatal(err)
	}
	defer func() { _ = rows.Close() }() // it was only read
	names, err := rows.Columns()
	if err = errors.Join(err, rows.Err()); err != nil {
		c.Fatal(err)
	}
	return names
}

// name is another name for each copy; golden another golden id.
func name(column string) string { return "t." + column + " || '-' || nums.n" }

func golden(column string) string {
	return "substr(t." + column + ", 1, 10) || replace(substr(CAST(1000000 + nums.n AS TEXT), 2), '0', 'a')"
}

func ref(column string) string {
	return "CASE WHEN t." + column + " = 0 THEN 0 ELSE t." + column + " @ END"
}

// day moves a time to another day of the year before.
func day(column string) string {
	return "CASE WHEN t." + column + " = '' THEN '' ELSE '2025-' || substr(CAST(101 + nums.n % 12 AS TEXT), 2) || '-' || substr(CAST(101 + nums.n % 28 AS TEXT), 2) || substr(t." + column + ", 11) END"
}

// world repeats what the program has made until there are so many golden records.
func (c *copier) world(rows int) {
	c.Helper()
	most := rows/c.count(`SELECT count(*) FROM golden WHERE live > 0`) + 1
	// of is how many copies bring a share of all golden records.
	of := func(share float64, q string) int { return int(float64(rows)*share)/max(c.count(q), 1) + 1 }
	plan := of(0.1, `SELECT count(*) FROM outbox WHERE state = 'pending'`)
	stuck := of(0.01, `SELECT count(*) FROM outbox WHERE state = 'delivered' AND target = 'crm'`)
	decisions := of(0.01, `SELECT count(*) FROM decision`)
	bad := of(0.1, `SELECT count(*) FROM quarantine`)
	trail := of(1, `SELECT count(*) FROM audit`)
	lists := of(0.1, `SELECT 5000`)
	all := func(table string, changed map[string]string) { c.Helper(); c.copy(table, "1 = 1", 1, most, changed) }
	type m = map[string]string

	record := m{"rec": "t.rec @", "external_id": name("external_id"), "anchor": golden("anchor")}
	all("source_record", record)
	all("feature", m{"rec": "t.rec @", "seq": "t.seq @"})
	all("crosswalk", m{"rec": "t.rec @", "comp": "t.comp @", "golden": "t.golden @"})
	all("crosswalk_version", m{"rec": "t.rec @", "golden": ref("golden")})
	all("golden", m{"founder": "t.founder @", "id": golden("id"), "changed_at": day("changed_at")})
	// Nine of ten have one of 500 owners.
	c.exec(`UPDATE golden SET owner = 'Owner ' || (founder % 500), fields = '{"owner":"Owner ' || (founder % 500) || '",' || substr(fields, 2) WHERE founder % 10 <> 0 AND fields <> '{}' AND entity IN ('company', 'person')`)
	all("golden_version", m{"founder": "t.founder @", "at": day("at")})
	all("search_text", m{"founder": "t.founder @", "name": "t.name || ' ' || nums.n"})
	all("search", m{"founder": "t.founder @"})
	all("feed", m{"founder": "t.founder @", "seq": "t.seq @", "id": golden("id")})
	all("match", m{"a": "t.a @", "b": "t.b @"})
	all("bridge", m{"a": "t.a @", "b": "t.b @"})
	all("queue", m{"a": "t.a @", "b": "t.b @", "x": "t.x @", "y": "t.y @", "rank_damage": "t.rank_damage - nums.n % 997", "damage": "t.damage + nums.n % 997", "name": name("name")})
	all("relation", m{"rec": "t.rec @", "external_id": name("external_id")})
	all("target_state", m{"rec": "t.rec @"})
	all("delivery", m{"seq": "t.seq @", "row": name("row")})
	c.copy("blocking_key", "1 = 1", 1, min(lists, most), m{"rec": "t.rec @", "fine": "t.fine / 2 + nums.n"})
	c.exec(`INSERT INTO shared_value (value, entity) SELECT b.key, min(f.entity) FROM (SELECT DISTINCT key FROM blocking_key WHERE key % 2 <> 0 AND rec > 100000) b
		JOIN blocking_key k ON k.key = b.key JOIN feature f ON f.rec = k.rec WHERE k.rec < 100000 GROUP BY b.key ORDER BY b.key LIMIT 2000`)

	c.copy("ruling", "t.decision = ''", 1, most, m{"id": name("id"), "a": "t.a @", "b": ref("b")})
	c.copy("ruling", "t.decision <> '' AND t.a < 100000", 1, decisions, m{"id": name("id"), "a": "t.a @", "b": ref("b"), "decision": name("decision")})
	c.copy("decision", "1 = 1", 1, decisions, m{"seq": "t.seq @", "id": name("id"), "at": day("at")})
	c.copy("said_relation", "1 = 1", 1, decisions, m{"decision": name("decision"), "a": "t.a @", "b": "t.b @"})

	// Events of all but the one customer.
	few := `t.ev IN (SELECT ev FROM event_of WHERE external_id <> 's1' AND ev < 100000)`
	for table, changed := range map[string]m{
		"event":         {"ev": "t.ev @", "external_id": name("external_id"), "sealed_by": ref("sealed_by")},
		"event_version": {"ev": "t.ev @", "seq": "t.seq @"},
		"event_state":   {"ev": "t.ev @"},
		"event_of":      {"ev": "t.ev @", "rec": ref("rec"), "external_id": name("external_id")},
	} {
		c.copy(table, few, 1, most/4, changed)
	}

	write := m{"seq": "t.seq @", "id": name("id"), "founder": "t.founder @", "rec": ref("rec"), "sealed_by": ref("sealed_by"), "external_id": "CASE WHEN t.external_id = '' THEN '' ELSE t.external_id || '-' || nums.n END", "at": day("at"), "sent_at": day("sent_at"), "settled_at": day("settled_at")}
	c.copy("outbox", "t.state <> 'pending'", stuck+1, most, write)
	c.copy("outbox", "t.state = 'pending' AND t.seq < 100000", 1, plan, write)
	fate := m{"state": "CASE WHEN t.target <> 'crm' OR t.state <> 'delivered' THEN t.state WHEN nums.n % 3 = 0 THEN 'conflict' WHEN nums.n % 3 = 1 THEN 'rejected' ELSE 'dead' END", "verified": "0", "error": "'what stands there is not what we knew'"}
	for k, v := range write {
		fate[k] = v
	}
	c.copy("outbox", "t.state <> 'pending' AND t.seq < 100000", 1, stuck, fate)

	// Records that did not pass, beyond those that each copy has. They alone have
	// their raw versions: no list reads those of others.
	fault := `t.rec IN (SELECT rec FROM quarantine WHERE rec < 100000)`
	if bad > most {
		c.copy("source_record", fault, most+1, bad, record)
	}
	c.copy("source_version", fault, 1, bad, m{"rec": "t.rec @", "seq": "t.seq @"})
	c.copy("quarantine_fault", "1 = 1", 1, bad, m{"rec": "t.rec @", "id": name("id"), "at": day("at")})
	c.copy("quarantine", "1 = 1", 1, bad, m{"rec": "t.rec @", "id": name("id"), "at": day("at")})

	c.pairs(rows/10, most)
	c.copy("run", "1 = 1", 1, rows/2000, m{"id": name("id"), "started": day("started"), "ended": day("ended")})
	c.copy("run_line", "1 = 1", 1, rows/2000, m{"run": name("run"), "at": day("at")})
	c.exec(`INSERT INTO bulk_job (id, answer, who, why, query, state, at, ended) VALUES ('bulk-1', 'same', 'steward', 'alike', '{}', 'done', '2026-01-01T00:00:00.000000Z', '2026-01-01T00:10:00.000000Z')`)
	c.exec(`INSERT INTO bulk_pair (job, n, a, b, seen, state, decision) SELECT 'bulk-1', a * 1000 + b % 1000, a, b, '', 'skipped', '' FROM queue ORDER BY a, b LIMIT 5000`)
	c.copy("account", "1 = 1", 1, rows/5000, m{"id": name("id"), "login": name("login")})
	c.exec(fmt.Sprintf(`UPDATE counter SET value = %d WHERE name IN ('fact', 'feed')`, (max(most, bad, trail)+2)*stride))
	c.trail(trail)
}

// trail repeats the audit trail and its chain.
func (c *copier) trail(times int) {
	c.Helper()
	subject := "CASE WHEN length(t.subject) = 16 THEN " + golden("subject") + " ELSE t.subject END"
	c.copy("audit", "1 = 1", 1, times, map[string]string{"seq": "t.seq @", "at": day("at"), "subject": subject})
	c.copy("audit_subject", "1 = 1", 1, times, map[string]string{"seq": "t.seq @", "subject": subject})
	c.copy("audit_seal", "1 = 1", 1, times, map[string]string{"seq": "t.seq @", "n": "t.n @"})
}

// pairs adds pairs of customers of two copies to the queue, until so many wait.
func (c *copier) pairs(want, most int) {
	c.Helper()
	each := (want-c.count(`SELECT count(*) FROM queue`))/max(most-1, 1) + 1
	pick := fmt.Sprintf(`(SELECT founder FROM golden WHERE founder < %d AND entity = 'company' AND live > 0 ORDER BY founder LIMIT %d)`, stride, each)
	nums := fmt.Sprintf(`WITH RECURSIVE nums(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM nums WHERE n < %d) `, most-1)
	var into, values []string
	for _, name := range c.columns["queue"] {
		v := map[string]string{
			"a": "g.founder @", "b": "g.founder + (nums.n + 1) * 100000", "x": "g.founder @", "y": "g.founder + (nums.n + 1) * 100000", "name": "t.name || nums.n || '-' || g.founder",
			"weight": "3000 + nums.n * 7919 % 9973", "far": "nums.n * 7919 % 9973", "chance": "500000 + nums.n * 7919 % 499999",
			"value": "nums.n * 31 % 5000000", "damage": "(nums.n * 104729 + g.founder) % 9999991", "rank_damage": "-((nums.n * 104729 + g.founder) % 9999991)",
		}[name]
		if v == "" {
			v = "t." + name
		}
		into, values = append(into, name), append(values, strings.ReplaceAll(v, "@", "+ nums.n * 100000"))
	}
	c.exec(nums + `INSERT INTO match (a, b, weight, pattern, model, entity) SELECT g.founder + nums.n * 100000, g.founder + (nums.n + 1) * 100000, 3000 + nums.n * 7919 % 9973, 0, (SELECT model FROM match WHERE a < 100000 LIMIT 1), 'company' FROM nums CROSS JOIN ` + pick + ` g`)
	c.exec(nums + `INSERT INTO queue (` + strings.Join(into, ", ") + `) SELECT ` + strings.Join(values, ", ") + ` FROM nums CROSS JOIN ` + pick + ` g
		CROSS JOIN (SELECT * FROM queue WHERE kind = 'below' AND a < 100000 AND entity = 'company' ORDER BY a, b LIMIT 1) t`)
}
