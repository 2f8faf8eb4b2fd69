package app

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"touchstone/internal/audit"
	"touchstone/internal/store"
)

// checkpointHook is a webhook that keeps the checkpoints it gets.
type checkpointHook struct {
	mu    sync.Mutex
	notes []string
	fail  bool
}

func (h *checkpointHook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var body struct {
		Type string
		Data struct{ Checkpoint string }
	}
	b, err := io.ReadAll(r.Body)
	if err != nil || h.fail || json.Unmarshal(b, &body) != nil || body.Type != "touchstone.audit.checkpoint" || r.Header.Get("Webhook-Signature") == "" {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	h.notes = append(h.notes, body.Data.Checkpoint)
}

func (h *checkpointHook) last(t *testing.T, key audit.Public) (c audit.Checkpoint) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.notes) == 0 {
		return c
	}
	c, err := key.Checkpoint(h.notes[len(h.notes)-1])
	if err != nil {
		t.Errorf("the webhook got %q: %v", h.notes[len(h.notes)-1], err)
	}
	return c
}

// TestTrailOfADaemon: rows are chained within a second or so, checkpoints are
// left outside when it ends, and afterwards a store that is set back as a whole is
// found by them.
func TestTrailOfADaemon(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		hook := &checkpointHook{}
		srv := httptest.NewServer(hook)
		t.Cleanup(srv.Close)
		w, _, _ := acmes(t, dsn)
		notes := filepath.Join(w.dir, "elsewhere.txt")
		w.yaml = "audit: {checkpoints: {file: \"" + notes + "\", webhook: {url: \"" + srv.URL + "\", secret: s3cret-s3cret}}}\n" + w.yaml
		r := w.run()
		r.untilDelivered("desk", 1)
		r.until("every row chained", func() bool {
			h, err := w.app.Store.AuditHead(t.Context())
			return err == nil && h.N > 0 && h.Open == 0
		})
		r.stop()
		if err := <-r.ended; err != nil {
			t.Fatal(err)
		}
		close(r.ended)
		key := w.app.AuditKey().Public()
		w.app.sealLast() // as closing does
		head, err := w.app.Store.AuditHead(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if c := hook.last(t, key); c.N == 0 || c.N != head.N {
			t.Errorf("the webhook's last checkpoint is of %d, want %d", c.N, head.N)
		}
		var early audit.Report
		text, err := os.ReadFile(notes)
		if err != nil {
			t.Fatal(err)
		}
		marks, err := audit.ReadMarks(bytes.NewReader(text), key, &early)
		if err != nil || !early.Whole() || marks.Last.N != head.N {
			t.Errorf("the file's checkpoints go to %d (%v, %v), want %d", marks.Last.N, early.Problems, err, head.N)
		}
		rep, err := w.app.VerifyAudit(t.Context(), "")
		if err != nil || !rep.Whole() || rep.Last != head.N || rep.Checkpoints < 2 {
			t.Errorf("verify: %+v, %v; want whole to %d with the checkpoints of store and file", rep, err, head.N)
		}
		s, err := w.app.AuditState(t.Context())
		if err != nil || s.Sealed != head.N || s.Verified.Upto != head.N || !s.Elsewhere || s.Unsent != "" || s.Checkpoint == "" {
			t.Errorf("state %+v, %v", s, err)
		}
	})
}

// TestStoreSetBack: the whole file of a store is put back to an earlier day. Only
// the checkpoint that was kept elsewhere can tell.
func TestStoreSetBack(t *testing.T) {
	t.Parallel()
	w, _, _ := acmes(t, "")
	notes := filepath.Join(w.dir, "elsewhere.txt")
	plainYAML := w.yaml
	w.yaml = "audit: {checkpoints: {file: " + notes + "}}\n" + plainYAML
	w.open()
	w.pass()
	w.close()
	before := w.readStore()
	w.open()
	if err := w.app.Seen(t.Context(), "ann", "read.customer", []string{"g1"}); err != nil {
		t.Fatal(err)
	}
	w.close()
	w.writeStore(before)

	w.yaml = plainYAML
	w.open()
	if r, err := w.app.VerifyAudit(t.Context(), ""); err != nil || !r.Whole() {
		t.Errorf("without checkpoints from elsewhere: %+v, %v; want nothing found, as docs/audit.md says", r, err)
	}
	r, err := w.app.VerifyAudit(t.Context(), notes)
	if err != nil || r.Whole() || !strings.Contains(r.Problems[0].Text, "set back") {
		t.Errorf("with them: %+v, %v; want the store found set back", r, err)
	}
	var out bytes.Buffer
	if _, _, err := w.app.ExportAudit(t.Context(), &out, "ann", "", ""); err != nil {
		t.Fatal(err)
	}
	export := filepath.Join(w.dir, "export.jsonl")
	if err := os.WriteFile(export, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	key := w.app.AuditKey().Public().String()
	if r, err := VerifyExport(export, key, ""); err != nil || !r.Whole() {
		t.Errorf("its export alone: %+v, %v; want whole", r, err)
	}
	if r, err := VerifyExport(export, key, notes); err != nil || r.Whole() {
		t.Errorf("its export against them: %+v, %v; want it found", r, err)
	}
}

func (w *world) storeFile() string { return filepath.Join(w.dir, "data", "touchstone.db") }

func (w *world) readStore() map[string][]byte {
	w.Helper()
	files := map[string][]byte{}
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(w.storeFile() + suffix)
		if err != nil && suffix == "" {
			w.Fatal(err)
		}
		files[suffix] = b
	}
	return files
}

func (w *world) writeStore(files map[string][]byte) {
	w.Helper()
	for _, suffix := range []string{"", "-wal", "-shm"} {
		_ = os.Remove(w.storeFile() + suffix)
		if len(files[suffix]) > 0 {
			if err := os.WriteFile(w.storeFile()+suffix, files[suffix], 0o600); err != nil {
				w.Fatal(err)
			}
		}
	}
}

// TestWhoMergedWhat finds a decision by its person, its action and the customers
// it was about.
func TestWhoMergedWhat(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, _ := apart(t, dsn)
		ctx := audit.With(context.Background(), audit.By{Role: "steward", Request: "r1"})
		list, err := w.app.Store.GoldenList(ctx, store.GoldenFilter{Limit: 10})
		if err != nil || len(list) < 2 {
			t.Fatalf("%d golden records, %v", len(list), err)
		}
		d := w.decision(w.app.Merge(ctx, list[0].ID, list[1].ID, ann))
		for _, q := range []AuditQuery{
			{What: "decision.merge"},
			{What: "decision", Who: "ann"},
			{Subject: d},
			{Subject: list[0].ID, What: "decision"},
			{Subject: list[1].ID, What: "decision."},
			{Who: "ann", From: "2026-03-01", To: "2026-03-01"},
		} {
			rows, err := w.app.ListAudit(ctx, q, 10)
			if err != nil || len(rows) != 1 || rows[0].Who != "ann" || rows[0].Role != "steward" || rows[0].Request != "r1" || rows[0].Subjects[0] != d || !slices.Contains(rows[0].Subjects, list[1].ID) {
				t.Errorf("%+v finds %+v, %v; want the one merge of %s and %s", q, rows, err, list[0].ID, list[1].ID)
			}
		}
		if rows, err := w.app.ListAudit(ctx, AuditQuery{What: "decis"}, 10); err != nil || len(rows) != 0 {
			t.Errorf("half a word finds %+v, %v", rows, err)
		}
		if _, err := w.app.ListAudit(ctx, AuditQuery{From: "gestern"}, 10); err == nil || !strings.Contains(err.Error(), `"gestern" is no date`) {
			t.Errorf("a day that is none: %v", err)
		}
	})
}

// TestCheckpointsThatCannotBeLeft are told to a person, and the next one that can
// be left takes their place.
func TestCheckpointsThatCannotBeLeft(t *testing.T) {
	t.Parallel()
	hook := &checkpointHook{fail: true}
	srv := httptest.NewServer(hook)
	t.Cleanup(srv.Close)
	w, _, _ := acmes(t, "")
	w.yaml = "audit: {checkpoints: {webhook: {url: \"" + srv.URL + "/canary-path\", secret: s3cret-s3cret}}}\n" + w.yaml
	w.open()
	w.pass()
	seal := func() {
		t.Helper()
		if _, err := w.app.SealAudit(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := w.app.checkpoint(t.Context(), true); err != nil {
			t.Fatal(err)
		}
	}
	seal()
	list := w.app.trailIncidents()
	if len(list) != 1 || list[0].rule != ruleCheckpoint || !strings.Contains(list[0].text, "503") || strings.Contains(list[0].text, "canary") {
		t.Errorf("incidents %+v, want one that names 503 and not the address", list)
	}
	hook.fail = false
	seal()
	head, err := w.app.Store.AuditHead(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if list := w.app.trailIncidents(); len(list) != 0 || hook.last(t, w.app.AuditKey().Public()).N != head.N {
		t.Errorf("afterwards: incidents %+v, checkpoint of %d, want none and %d", list, hook.last(t, w.app.AuditKey().Public()).N, head.N)
	}
	seal()
	if len(hook.notes) != 1 {
		t.Errorf("without news the webhook got %d checkpoints, want the one", len(hook.notes))
	}
}
