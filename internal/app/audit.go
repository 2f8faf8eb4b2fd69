package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"touchstone/config"
	"touchstone/internal/audit"
	"touchstone/internal/store"
)

const (
	sealEvery   = time.Second
	sealBatch   = 1000
	sealBound   = 10 * time.Second // of the last sealing, when a command or the daemon ends
	markRows    = 1000             // a checkpoint is due after so many rows
	markEvery   = time.Minute      // or after so long with news
	verifyEvery = time.Hour
	verifyShare = 50 // a check that takes long runs less often: a fiftieth of the time at most
)

// trailLife is what the daemon knows of its audit trail.
type trailLife struct {
	broken  string // what the last check found; "" for nothing
	unsent  string // why checkpoints are not where they belong; "" when they are
	failing bool   // sealing failed last time
}

// AuditKey signs checkpoints and exports. It follows from the installation key,
// which lies outside of the database: a backup with its key has it too.
func (a *App) AuditKey() *audit.Key {
	return audit.NewKey(a.Store.LogID(), [32]byte(a.vault.MAC("audit signing key")))
}

// SealAudit chains what is committed, and says how many rows that were. Where
// there was something new, the kept counts are summed up with it.
func (a *App) SealAudit(ctx context.Context) (sealed int, err error) {
	for {
		n, err := a.Store.Seal(ctx, sealBatch)
		sealed += n
		switch {
		case err != nil || n < sealBatch && sealed == 0:
			return sealed, err
		case n < sealBatch:
			return sealed, a.Store.FoldTally(ctx)
		}
	}
}

// sealLast chains what a command or the daemon has written before it goes, and
// signs that. What it leaves open is held by the rows' own hashes, and chained
// by the next.
func (a *App) sealLast() {
	if a.Store == nil || !a.sealsAtEnd {
		return
	}
	a.sealsAtEnd = false
	ctx, cancel := context.WithTimeout(context.Background(), sealBound)
	defer cancel()
	_, err := a.SealAudit(ctx)
	if err == nil {
		err = a.checkpoint(ctx, !a.opts.Shared)
	}
	if err != nil && !errors.Is(err, store.ErrLeaseLost) {
		a.Log.Warn("the end of the audit trail is not sealed yet; the next command does it", "err", err)
	}
}

// seal is the daemon's sealer.
func (d *Daemon) seal(ctx context.Context) error {
	clock := d.App().opts.Env.Clock
	last, rows := clock.Now(), 0
	for {
		if err := clock.Sleep(ctx, sealEvery); err != nil {
			return nil
		}
		a := d.App()
		n, err := a.SealAudit(ctx)
		rows += n
		now := clock.Now()
		if err == nil && rows > 0 && (rows >= markRows || now.Sub(last) >= markEvery || now.Before(last)) {
			bounded, cancel := context.WithTimeout(ctx, alertSendBound)
			err = a.checkpoint(bounded, true)
			cancel()
			last = now
			if err == nil {
				rows = 0
			}
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, store.ErrLeaseLost):
			return err
		}
		a.life.sealed(a, err)
	}
}

// sealed tells the log once when sealing begins to fail, and when it works again.
func (l *life) sealed(a *App, err error) {
	l.mu.Lock()
	was := l.trail.failing
	l.trail.failing = err != nil
	l.mu.Unlock()
	switch {
	case err != nil && !was:
		a.Log.Error("the audit trail cannot be sealed; it is tried again every second, and rows are held by their own hashes meanwhile", "err", err)
	case err == nil && was:
		a.Log.Info("the audit trail is sealed again")
	}
}

// checkpoint signs how far the chain has come, keeps that in the store and
// leaves it where the configuration says. What cannot be left there now is left
// with the next one.
func (a *App) checkpoint(ctx context.Context, online bool) error {
	head, err := a.Store.AuditHead(ctx)
	if err != nil || head.N == 0 {
		return err
	}
	last, err := a.Store.LastCheckpoint(ctx)
	if err != nil {
		return err
	}
	if head.N > last.N {
		at := store.TimeText(a.opts.Env.Clock.Now())
		last = store.Signed{N: head.N, At: at, Note: a.AuditKey().Checkpoint(head.N, head.H, at)}
		if err := a.Store.KeepCheckpoint(ctx, last); err != nil {
			return err
		}
	}
	c, trouble := a.Config.Audit.Checkpoints, ""
	if c.File != "" {
		if err := a.leave(ctx, "file", a.checkpointFile(), last, func() error { return appendNote(a.checkpointFile(), last.Note) }); err != nil {
			trouble = err.Error()
		}
	}
	if !c.Webhook.URL.IsZero() && online {
		if err := a.leave(ctx, "webhook", c.Webhook.URL.Reveal(), last, func() error { return a.postCheckpoint(ctx, c.Webhook, last) }); err != nil {
			trouble = err.Error()
		}
	}
	a.life.mu.Lock()
	was := a.life.trail.unsent
	a.life.trail.unsent = trouble
	a.life.mu.Unlock()
	if trouble != "" && was == "" {
		a.Log.Error("a checkpoint of the audit trail could not be left where it belongs; the next one is tried in its place", "err", trouble)
	}
	return nil
}

// leave hands a checkpoint over once to each place; the store remembers how far
// each has come.
func (a *App) leave(ctx context.Context, kind, place string, s store.Signed, send func() error) error {
	sum := sha256.Sum256([]byte(place))
	name := "audit_left/" + kind + "/" + hex.EncodeToString(sum[:8])
	mark := fmt.Sprint(s.N)
	have, err := a.Store.Setting(ctx, name)
	if err != nil || have == mark {
		return err
	}
	if err := send(); err != nil {
		return fmt.Errorf("checkpoint to %s: %w", kind, err)
	}
	return a.Store.SetSetting(ctx, name, mark)
}

// checkpointFile is where checkpoints are appended to; "" for nowhere.
func (a *App) checkpointFile() string {
	switch f := a.Config.Audit.Checkpoints.File; {
	case f == "" || filepath.IsAbs(f):
		return f
	default:
		return filepath.Join(a.Config.Dir, f)
	}
}

// appendNote adds a note in one write and waits until it is on the disk. The
// empty line before it parts it from one that a crash has torn.
func appendNote(path, note string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, "\n"+note)
	return errors.Join(err, f.Sync(), f.Close())
}

func (a *App) postCheckpoint(ctx context.Context, cfg config.AlertWebhook, s store.Signed) error {
	now := a.opts.Env.Clock.Now()
	body, err := json.Marshal(map[string]any{
		"type": "touchstone.audit.checkpoint", "timestamp": now.Format(time.RFC3339),
		"data": map[string]any{"n": s.N, "at": s.At, "checkpoint": s.Note},
	})
	if err != nil {
		return err
	}
	return a.post(ctx, cfg, fmt.Sprintf("audit_%s_%d", a.Store.LogID(), s.N), now, body)
}

// verify checks the whole trail when the daemon starts and every hour.
func (d *Daemon) verify(ctx context.Context) error {
	clock := d.App().opts.Env.Clock
	for {
		a := d.App()
		started := clock.Now()
		r, err := a.VerifyAudit(ctx, "")
		took := clock.Now().Sub(started)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, store.ErrLeaseLost):
			return err
		case err != nil:
			a.Log.Warn("the audit trail could not be checked", "err", err)
		case !r.Whole():
			a.Log.Error("the audit trail is not as it was written; touchstone audit verify says where", "problems", len(r.Problems)+r.More, "first", r.Problems[0].String())
		}
		for left := max(verifyEvery, verifyShare*took); left > 0; left -= step {
			if err := clock.Sleep(ctx, min(left, step)); err != nil {
				return nil
			}
		}
	}
}

// trailIncidents are what a person is called for.
func (a *App) trailIncidents() (list []incident) {
	a.life.mu.Lock()
	t := a.life.trail
	a.life.mu.Unlock()
	if t.broken != "" {
		list = append(list, incident{ruleTrail, "", "the audit trail is not as it was written: " + t.broken + " (touchstone audit verify)"})
	}
	if t.unsent != "" {
		list = append(list, incident{ruleCheckpoint, "", "checkpoints of the audit trail are not where they belong: " + t.unsent})
	}
	return list
}

// Verified is when the trail was last checked, and with what result.
type Verified struct {
	At      string `json:"at"` // in TimeLayout; "" for never
	Upto    int64  `json:"upto"`
	Problem string `json:"problem,omitempty"` // the first one
	Found   int    `json:"found,omitempty"`   // how many
}

const verifiedSetting = "audit_verified"

// VerifyAudit checks the whole trail of the store, against its own checkpoints,
// those of the configured file where it can be read, and those of a file, if one
// is named. The error says that something could not be read.
func (a *App) VerifyAudit(ctx context.Context, file string) (*audit.Report, error) {
	key := a.AuditKey().Public()
	early := &audit.Report{}
	var marks audit.Marks
	for _, path := range []string{a.checkpointFile(), file} {
		if path == "" {
			continue
		}
		m, err := readMarks(path, key, early)
		if errors.Is(err, fs.ErrNotExist) && path != file {
			if last, err := a.Store.LastCheckpoint(ctx); err != nil || last.N == 0 {
				continue // none was left there yet
			}
		}
		switch {
		case err == nil:
			marks.Join(m)
		case path == file:
			return nil, err
		default:
			early.Add(audit.Problem{Text: "the checkpoints of the configuration cannot be read: " + err.Error()})
		}
	}
	r, err := a.Store.AuditVerify(ctx, key, marks)
	if err != nil {
		return nil, err
	}
	for _, p := range early.Problems {
		r.Add(p)
	}
	v := Verified{At: store.TimeText(a.opts.Env.Clock.Now()), Upto: r.Last, Found: len(r.Problems) + r.More}
	if !r.Whole() {
		v.Problem = r.Problems[0].String()
	}
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	a.life.mu.Lock()
	a.life.trail.broken = v.Problem
	a.life.mu.Unlock()
	return r, a.Store.SetSetting(ctx, verifiedSetting, string(text))
}

// VerifyExport checks an export by itself: no store and no installation is
// needed. Checkpoints "" names none.
func VerifyExport(export, public, checkpoints string) (r *audit.Report, err error) {
	key, err := readPublic(public)
	if err != nil {
		return nil, err
	}
	early := &audit.Report{}
	var marks audit.Marks
	if checkpoints != "" {
		if marks, err = readMarks(checkpoints, key, early); err != nil {
			return nil, err
		}
	}
	f, err := os.Open(export)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	if r, err = audit.VerifyExport(f, key, marks); err != nil {
		return nil, err
	}
	for _, p := range early.Problems {
		r.Add(p)
	}
	return r, nil
}

// readPublic takes a public key, or the name of a file that holds one.
func readPublic(text string) (audit.Public, error) {
	key, bad := audit.ParsePublic(text)
	if bad == nil {
		return key, nil
	}
	f, err := os.Open(text)
	if err != nil {
		return key, fmt.Errorf("the public key %q %w", text, bad)
	}
	defer func() { _ = f.Close() }() // it was only read
	b, err := io.ReadAll(io.LimitReader(f, 4096))
	if err != nil {
		return key, err
	}
	if key, err = audit.ParsePublic(string(b)); err != nil {
		return key, fmt.Errorf("%s %w", text, err)
	}
	return key, nil
}

func readMarks(path string, key audit.Public, r *audit.Report) (m audit.Marks, err error) {
	f, err := os.Open(path)
	if err != nil {
		return m, err
	}
	defer func() { _ = f.Close() }() // it was only read
	return audit.ReadMarks(f, key, r)
}

// ExportAudit writes the entries from one day or time to another ("" for no
// bound) as a signed export, and says which they are; last is below first when
// there are none.
func (a *App) ExportAudit(ctx context.Context, w io.Writer, who, from, to string) (first, last int64, err error) {
	low, high, err := auditTimes(from, to)
	if err != nil {
		return 0, 0, err
	}
	if err := a.Store.Note(ctx, audit.Entry{Who: who, What: "audit.export"}); err != nil {
		return 0, 0, err
	}
	if _, err := a.SealAudit(ctx); err != nil {
		return 0, 0, err
	}
	first, last, prev, err := a.Store.AuditRange(ctx, low, high)
	if err != nil {
		return 0, 0, err
	}
	head, err := a.Store.AuditHead(ctx)
	if err != nil {
		return 0, 0, err
	}
	x, err := audit.NewWriter(w, a.AuditKey(), first, last, prev, head.N, store.TimeText(a.opts.Env.Clock.Now()))
	if err != nil {
		return 0, 0, err
	}
	if err := a.Store.AuditChain(ctx, first, last, x.Add); err != nil {
		return 0, 0, err
	}
	return first, last, x.Close()
}

// AuditState is how the trail stands.
type AuditState struct {
	Log        string   `json:"log"`
	Sealed     int64    `json:"sealed"`
	Open       int      `json:"open"`
	Checkpoint string   `json:"checkpoint,omitempty"` // time of the last one
	Elsewhere  bool     `json:"elsewhere"`            // checkpoints are left outside of the store
	Unsent     string   `json:"unsent,omitempty"`     // why they are not there
	Verified   Verified `json:"verified"`
}

// AuditState reads it.
func (a *App) AuditState(ctx context.Context) (s AuditState, err error) {
	head, err := a.Store.AuditHead(ctx)
	if err != nil {
		return s, err
	}
	last, err := a.Store.LastCheckpoint(ctx)
	if err != nil {
		return s, err
	}
	c := a.Config.Audit.Checkpoints
	s = AuditState{Log: a.Store.LogID(), Sealed: head.N, Open: head.Open, Checkpoint: last.At, Elsewhere: c.File != "" || !c.Webhook.URL.IsZero()}
	text, err := a.Store.Setting(ctx, verifiedSetting)
	if err != nil {
		return s, err
	}
	if text != "" {
		if err := json.Unmarshal([]byte(text), &s.Verified); err != nil {
			return s, fmt.Errorf("when the audit trail was checked: %w", err)
		}
	}
	a.life.mu.Lock()
	s.Unsent = a.life.trail.unsent
	a.life.mu.Unlock()
	return s, nil
}
