package store_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"touchstone/internal/record"
	"touchstone/internal/seal"
	"touchstone/internal/store"
	"touchstone/internal/store/storetest"
)

// TestReopenedStoreGoesOn closes a store and opens it again: everything is
// there, and the fact numbers go on.
func TestReopenedStoreGoesOn(t *testing.T) {
	for _, eng := range engines() {
		t.Run(eng.name, func(t *testing.T) {
			dsn := eng.dsn(t)
			e, clock := storetest.Env(1)
			first, err := store.Open(t.Context(), dsn, storetest.Vault(), e)
			if err != nil {
				t.Fatal(err)
			}
			b := &storetest.Bench{T: t, DB: first, Clock: clock}
			b.LandAs(store.Landing{Items: []store.Item{storetest.Item("1", storetest.Named("Ada"))}, Cursor: []byte("c1")})
			rec := b.Rec("1")
			if err := first.Close(); err != nil {
				t.Fatal(err)
			}
			b.DB = open(t, dsn, e)
			if got := b.Rec("1"); got != rec {
				t.Errorf("landing number after reopening = %d, want %d", got, rec)
			}
			if cursor, err := b.DB.Cursor(t.Context(), storetest.Source, storetest.Entity); err != nil || string(cursor) != "c1" {
				t.Errorf("cursor after reopening = %q, %v, want c1", cursor, err)
			}
			c := b.Land(storetest.Item("1", storetest.Named("Ada")), storetest.Item("2", storetest.Named("Bob")))
			if want := (store.Counts{Pulled: 2, Stored: 1, Unchanged: 1}); c != want {
				t.Errorf("landing after reopening = %+v, want %+v", c, want)
			}
			if h := b.History("1"); string(h.Versions[0].Raw) != storetest.Named("Ada") {
				t.Errorf("raw record after reopening = %q", h.Versions[0].Raw)
			}
			if next := b.Rec("2"); next <= rec {
				t.Errorf("next landing number = %d, want one past %d", next, rec)
			}
			if b.DB.Engine() != eng.name {
				t.Errorf("Engine() = %q, want %q", b.DB.Engine(), eng.name)
			}
		})
	}
}

func TestStoreRefusesAnotherInstallationKey(t *testing.T) {
	for _, eng := range engines() {
		t.Run(eng.name, func(t *testing.T) {
			dsn := eng.dsn(t)
			bench(t, dsn, 1)
			e, _ := storetest.Env(2)
			db, err := store.Open(t.Context(), dsn, seal.New([32]byte{9}), e)
			if err == nil || !strings.Contains(err.Error(), "another installation key") {
				t.Errorf("Open with another key = %v, want it refused", err)
			}
			if db != nil {
				t.Error("Open gives a store beside its error: nobody closes it")
			}
		})
	}
}

func TestStoreOfANewerProgramIsRefused(t *testing.T) {
	for _, eng := range engines() {
		t.Run(eng.name, func(t *testing.T) {
			dsn := eng.dsn(t)
			bench(t, dsn, 1)
			if _, err := raw(t, dsn).ExecContext(t.Context(), `UPDATE goose_db_version SET version_id = 9999 WHERE version_id = (SELECT max(version_id) FROM goose_db_version)`); err != nil {
				t.Fatal(err)
			}
			e, _ := storetest.Env(2)
			if _, err := store.Open(t.Context(), dsn, storetest.Vault(), e); err == nil || !strings.Contains(err.Error(), "9999") {
				t.Errorf("Open = %v, want it refused with both versions named", err)
			}
		})
	}
}

// TestErrorsHideThePassword tries addresses that lead nowhere.
func TestErrorsHideThePassword(t *testing.T) {
	e, _ := storetest.Env(1)
	for _, dsn := range []string{
		"postgres://user:hunter2@127.0.0.1:1/none?connect_timeout=1",
		"postgres://user:hunter2@127.0.0.1:bad/none",
		"postgresql://user:hunter2@127.0.0.1:1/none?sslmode=hunter2",
	} {
		_, err := store.Open(context.Background(), dsn, storetest.Vault(), e)
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("Open of an address that leads nowhere = %v: want an error without the password", err)
		}
	}
	if _, err := store.Open(context.Background(), filepath.Join(t.TempDir(), "none", "store.db"), storetest.Vault(), e); err == nil {
		t.Error("Open of a file in a folder that is not there succeeded")
	}
}

// TestOddFileNames opens files whose names mean something in an address.
func TestOddFileNames(t *testing.T) {
	for _, name := range []string{"a b.db", "a?b=c.db", "a#b.db", "50%25.db", "中文.db"} {
		dir := t.TempDir()
		e, _ := storetest.Env(1)
		open(t, filepath.Join(dir, name), e)
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Errorf("the store is not in the file it was given: %v", err)
		}
	}
}

// TestRawRecordsAreSealed looks for what only the raw record holds in every
// byte of the store's files. Features and golden records are plain by design,
// so the canary stands where the derivation takes nothing from.
func TestRawRecordsAreSealed(t *testing.T) {
	const canary = "canary-5e1f7"
	path := filepath.Join(t.TempDir(), "store.db")
	b := bench(t, path, 1)
	b.Land(storetest.Item("1", `{"name":"Ada","secret":"`+canary+`"}`), storetest.Item("2", `{"name":"x","bad":"`+canary+`"}`))
	if h := b.History("1"); !bytes.Contains(h.Versions[0].Raw, []byte(canary)) {
		t.Fatalf("the raw record is %q: want the canary in it", h.Versions[0].Raw)
	}
	if list, err := b.DB.Quarantines(t.Context(), store.QuarantineQuery{State: "open", Limit: 9}); err != nil || len(list) != 1 || list[0].Reasons[0].Value != canary {
		t.Fatalf("quarantine = %+v, %v: want the canary quoted in a reason", list, err)
	}
	if err := b.DB.Close(); err != nil {
		t.Fatal(err)
	}
	size := 0
	for _, suffix := range []string{"", "-wal", "-shm"} {
		data, err := os.ReadFile(path + suffix)
		if err != nil && suffix == "" {
			t.Fatal(err)
		}
		size += len(data)
		if bytes.Contains(data, []byte(canary)) {
			t.Errorf("store.db%s holds the canary in plain", suffix)
		}
	}
	if size == 0 {
		t.Error("the store's files are empty")
	}
}

// TestErasedRecordSaysSo destroys a data key: the bytes are gone, the row and
// its order stay.
func TestErasedRecordSaysSo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	b := bench(t, path, 1)
	b.Land(storetest.Item("1", storetest.Named("Ada")))
	rec := b.Rec("1")
	if _, err := raw(t, path).ExecContext(t.Context(), `UPDATE source_record SET salt = NULL WHERE rec = ?`, rec); err != nil {
		t.Fatal(err)
	}
	err := b.DB.Rederive(t.Context(), []int64{rec}, storetest.Derive)
	if err == nil || !strings.Contains(err.Error(), seal.ErrErased.Error()) || !strings.Contains(err.Error(), fmt.Sprint("record ", rec)) {
		t.Errorf("deriving an erased record = %v, want %v and the record's number", err, seal.ErrErased)
	}
	if refs, err := b.DB.Refs(t.Context(), []int64{rec}); err != nil || refs[rec] != (record.Ref{Source: storetest.Source, Entity: storetest.Entity, ID: "1"}) {
		t.Errorf("reference of an erased record = %v, %v", refs, err)
	}
}

// TestOlderHashesAreKeyedOnce: a store from before the outbox's hashes were
// keyed is brought up to date when it is opened, once.
func TestOlderHashesAreKeyedOnce(t *testing.T) {
	for _, eng := range engines() {
		t.Run(eng.name, func(t *testing.T) {
			dsn := eng.dsn(t)
			b := bench(t, dsn, 1)
			b.Land(storetest.Item("1", storetest.Named("Ada")))
			rec := b.Rec("1")
			err := b.DB.Link(t.Context(), func(tx *store.LinkTx) error {
				return tx.AddRows(t.Context(), []store.Row{{Target: "out", Op: "update", Founder: rec, Rec: rec, Wanted: []byte("old"), Refusal: []byte("older")}}, nil)
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := b.DB.SetSetting(t.Context(), "outbox hashes", ""); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := b.DB.Close(); err != nil {
					t.Fatal(err)
				}
				e, _ := storetest.Env(1)
				if b.DB, err = store.Open(t.Context(), dsn, storetest.Vault(), e); err != nil {
					t.Fatal(err)
				}
				rows, err := b.DB.Rows(t.Context(), "out", store.Pending, 0, 10)
				if err != nil || len(rows) != 1 {
					t.Fatalf("%d rows, %v", len(rows), err)
				}
				if want := b.DB.Keyed("wanted", []byte("old")); !bytes.Equal(rows[0].Wanted, want) {
					t.Errorf("wanted %x, want it keyed once: %x", rows[0].Wanted, want)
				}
				if want := b.DB.Keyed("refusal", []byte("older")); !bytes.Equal(rows[0].Refusal, want) {
					t.Errorf("refusal %x, want it keyed once: %x", rows[0].Refusal, want)
				}
			}
			if err := b.DB.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
