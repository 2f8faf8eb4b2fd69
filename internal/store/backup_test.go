package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"touchstone/internal/env"
	"touchstone/internal/seal"
	"touchstone/internal/store"
	"touchstone/internal/store/pgtest"
	"touchstone/internal/store/storetest"
)

// me is who restores.
var me = store.Holder{Host: "here.example.com", PID: 7}

func TestBackupHoldsEveryTable(t *testing.T) {
	var want []string
	rows, err := raw(t, benchDSN(t)).QueryContext(t.Context(), `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT IN ('goose_db_version', 'lease', 'lease_beat', 'tally') ORDER BY name`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		want = append(want, name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	got := store.CopiedTables()
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tables of a backup (-store +backup):\n%s", diff)
	}
}

func benchDSN(t *testing.T) string {
	t.Helper()
	dsn := engines()[0].dsn(t)
	bench(t, dsn, 1)
	return dsn
}

// dumpOf reads every row of every copied table.
func dumpOf(t *testing.T, dsn string) map[string][]string {
	t.Helper()
	db := raw(t, dsn)
	out := map[string][]string{}
	for _, table := range store.CopiedTables() {
		out[table] = rowsOf(t, db, table)
	}
	return out
}

func rowsOf(t *testing.T, db *sql.DB, table string) (list []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SELECT * FROM "+table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		list = append(list, fmt.Sprintf("%x", fmt.Sprint(values...)))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(list)
	return list
}

// TestBackupComesBackOnEitherEngine backs a store of each engine up and puts the
// file back into an empty store of each.
func TestBackupComesBackOnEitherEngine(t *testing.T) {
	for _, from := range engines() {
		for _, to := range engines() {
			t.Run(from.name+" to "+to.name, func(t *testing.T) {
				dsn := from.dsn(t)
				b := bench(t, dsn, 1)
				b.Land(storetest.Item("1", storetest.Named("Ada")), storetest.Item("2", `{"name":"x","bad":"é中"}`))
				file := filepath.Join(t.TempDir(), "a b?.db")
				c, err := b.DB.Backup(t.Context(), file)
				if err != nil {
					t.Fatal(err)
				}
				if info, err := os.Stat(file); err != nil || info.Size() != c.Bytes || info.Mode().Perm() != 0o600 || c.Tables != len(store.CopiedTables()) {
					t.Errorf("the backup is %v, %v; said %+v; want that size, all tables, readable for its user alone", info, err, c)
				}
				if left, err := filepath.Glob(filepath.Join(filepath.Dir(file), ".*")); err != nil || len(left) > 0 {
					t.Errorf("left behind: %v %v", left, err)
				}
				target := to.dsn(t)
				e, _ := storetest.Env(9)
				if _, err := store.Restore(t.Context(), file, target, storetest.Vault(), e, me); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(dumpOf(t, dsn), dumpOf(t, target)); diff != "" {
					t.Errorf("rows (-before +restored):\n%s", diff)
				}
				if _, err := store.Restore(t.Context(), file, target, storetest.Vault(), e, me); !errors.Is(err, store.ErrNotEmpty) {
					t.Errorf("a second time = %v, want ErrNotEmpty", err)
				}
				// The file itself is a store.
				again := &storetest.Bench{T: t, DB: open(t, file, e)}
				if h := again.History("1"); string(h.Versions[0].Raw) != storetest.Named("Ada") {
					t.Errorf("the backup opened as a store has %q", h.Versions[0].Raw)
				}
			})
		}
	}
}

// interrupting is a clock that cuts the work short after so many looks at it.
type interrupting struct {
	env.Clock
	left int
	cut  func()
}

func (c *interrupting) Now() time.Time {
	if c.left--; c.left == 0 {
		c.cut()
	}
	return c.Clock.Now()
}

// TestRestoreCutShortBeginsAnew: half of a store is none to work on, and the
// restore again makes it whole. Beside somebody who works on the store it does
// nothing.
func TestRestoreCutShortBeginsAnew(t *testing.T) {
	for _, eng := range engines() {
		t.Run(eng.name, func(t *testing.T) {
			dsn := engines()[0].dsn(t)
			b := bench(t, dsn, 1)
			b.Land(storetest.Item("1", storetest.Named("Ada")), storetest.Item("2", storetest.Named("Bob")))
			file, target := filepath.Join(t.TempDir(), "b.db"), eng.dsn(t)
			if _, err := b.DB.Backup(t.Context(), file); err != nil {
				t.Fatal(err)
			}
			e, _ := storetest.Env(9)
			whole := e.Clock
			ctx, cut := context.WithCancel(t.Context())
			defer cut()
			e.Clock = &interrupting{Clock: whole, left: 18, cut: cut}
			if _, err := store.Restore(ctx, file, target, storetest.Vault(), e, me); !errors.Is(err, context.Canceled) {
				t.Fatalf("cut short = %v", err)
			}
			e.Clock = whole
			half := open(t, target, e)
			if d := dumpOf(t, target); len(d["source_record"]) != 2 || len(d["feature"]) != 0 {
				t.Fatalf("it was cut with %d records and %d features there, want it in between", len(d["source_record"]), len(d["feature"]))
			}
			if err := half.Whole(t.Context()); !errors.Is(err, store.ErrRestoring) {
				t.Errorf("half a store is whole: %v", err)
			}
			if _, err := store.Restore(t.Context(), file, target, storetest.Vault(), e, me); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(dumpOf(t, dsn), dumpOf(t, target)); diff != "" {
				t.Errorf("rows (-before +restored):\n%s", diff)
			}
			if err := half.Whole(t.Context()); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

func TestRestoreGoesIntoNoStoreThatIsHeld(t *testing.T) {
	b := bench(t, benchDSN(t), 1)
	file, target := filepath.Join(t.TempDir(), "b.db"), pgtest.DSN(t)
	if _, err := b.DB.Backup(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	if _, err := worker(t, target, "daemon.example.com"); err != nil {
		t.Fatal(err)
	}
	e, _ := storetest.Env(9)
	var held *store.HeldError
	if _, err := store.Restore(t.Context(), file, target, storetest.Vault(), e, me); !errors.As(err, &held) || held.Host != "daemon.example.com" {
		t.Errorf("beside a daemon = %v, want it told who holds the store", err)
	}
}

func TestBackupNeverWritesOver(t *testing.T) {
	b := bench(t, benchDSN(t), 1)
	file := filepath.Join(t.TempDir(), "b.db")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := b.DB.Backup(t.Context(), file); !errors.Is(err, fs.ErrExist) {
		t.Errorf("backup onto a file = %v, want it refused", err)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "precious" {
		t.Errorf("the file holds %q, %v", text, err)
	}
	if _, err := b.DB.Backup(t.Context(), filepath.Join(t.TempDir(), "none", "b.db")); err == nil {
		t.Error("backup into a folder that is not there succeeded")
	}
}

func TestRestoreRefusesWhatItCannotRead(t *testing.T) {
	b := bench(t, benchDSN(t), 1)
	dir := t.TempDir()
	good, broken := filepath.Join(dir, "good.db"), filepath.Join(dir, "broken.db")
	if _, err := b.DB.Backup(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	for i := 4096; i < len(text)-4096; i += 997 {
		text[i] ^= 0x5a
	}
	if err := os.WriteFile(broken, text, 0o600); err != nil {
		t.Fatal(err)
	}
	e, _ := storetest.Env(1)
	target := filepath.Join(dir, "new.db")
	if _, err := store.Restore(t.Context(), broken, target, storetest.Vault(), e, me); err == nil {
		t.Error("a damaged backup was taken")
	}
	if _, err := store.Restore(t.Context(), good, target, seal.New([32]byte{9}), e, me); err == nil || !strings.Contains(err.Error(), "another installation key") {
		t.Errorf("with another key = %v, want it refused", err)
	}
	if _, err := os.Stat(target); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a refused restore made %s (%v)", target, err)
	}
}

// TestBackupOfABusyStoreIsOneMoment writes pairs in one transaction each while
// backups run: no backup holds half of a pair.
func TestBackupOfABusyStoreIsOneMoment(t *testing.T) {
	for _, eng := range engines() {
		t.Run(eng.name, func(t *testing.T) {
			b := bench(t, eng.dsn(t), 1)
			ctx, stop := context.WithCancel(t.Context())
			var writer sync.WaitGroup
			writer.Go(func() {
				for n := 0; ctx.Err() == nil; n++ {
					_, err := b.DB.Land(context.WithoutCancel(ctx), store.Landing{Source: storetest.Source, Entity: storetest.Entity, Derive: storetest.Derive, Items: []store.Item{
						storetest.Item(fmt.Sprint("a", n), storetest.Named("Ada")), storetest.Item(fmt.Sprint("b", n), storetest.Named("Bob")),
					}})
					if err != nil {
						t.Errorf("writing beside a backup: %v", err)
						return
					}
				}
			})
			dir := t.TempDir()
			last := 0
			for i := range 3 {
				file := filepath.Join(dir, fmt.Sprint(i, ".db"))
				if _, err := b.DB.Backup(t.Context(), file); err != nil {
					t.Error(err)
					break
				}
				d := dumpOf(t, file)
				if n := len(d["source_record"]); n%2 != 0 || n < last || len(d["source_version"]) != n || len(d["feature"]) != n {
					t.Errorf("backup %d holds %d records, %d versions, %d features; want pairs, of each the same, not fewer than %d", i, n, len(d["source_version"]), len(d["feature"]), last)
				} else {
					last = n
				}
			}
			stop()
			writer.Wait()
			if last == 0 {
				t.Error("the backups hold nothing: the store was not busy")
			}
		})
	}
}
