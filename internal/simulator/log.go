package simulator

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
)

// Applied is one write that really happened: one line of the applied log. The
// log is synced before the answer leaves, so it knows of every write that any
// client was ever told of; it may hold one more, whose answer was lost.
type Applied struct {
	N              int               `json:"n"` // 1, 2, 3 …
	At             string            `json:"at"`
	Method         string            `json:"method"`
	Object         string            `json:"object"`
	ID             string            `json:"id"`
	ExternalID     string            `json:"external_id,omitempty"`
	Created        bool              `json:"created,omitempty"`
	Deleted        bool              `json:"deleted,omitempty"`
	Merged         string            `json:"merged_into,omitempty"` // the object that took this one in
	Fields         map[string]Change `json:"fields"`                // only what really changed; empty for a write that changed nothing
	IdempotencyKey string            `json:"idempotency_key,omitempty"`
	Request        string            `json:"request,omitempty"` // hash of method, path and body, kept with the key
	Actor          string            `json:"actor"`             // "api", "human", or "system" for what a system does of itself
	Fault          string            `json:"fault,omitempty"`   // the fault it was applied under: "zombie" …
}

// Change is what became of one field. nil stands for null and for missing.
type Change struct {
	Old any `json:"old"`
	New any `json:"new"`
}

func (e Applied) paths() []string {
	list := make([]string, 0, len(e.Fields))
	for p := range e.Fields {
		list = append(list, p)
	}
	sort.Strings(list)
	return list
}

const (
	logName  = "applied.jsonl"
	metaName = "system.json"
)

// ReadApplied reads the applied log in dir, also while a system is writing it
// and after it was killed: a torn last line was never answered and is left out.
// No log means that nothing was applied.
func ReadApplied(dir string) ([]Applied, error) {
	b, err := os.ReadFile(filepath.Join(dir, logName)) //nolint:gosec // the folder is the caller's choice
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read applied log: %w", err)
	}
	list, _, err := parseLog(b)
	return list, err
}

// parseLog reads the lines and says how many bytes hold good ones. Only the
// last line may be torn: one without its newline, or one that is not JSON.
func parseLog(b []byte) (list []Applied, good int64, err error) {
	r := bufio.NewReader(bytes.NewReader(b))
	for {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return list, good, nil
		}
		if err != nil {
			return nil, 0, fmt.Errorf("read applied log: %w", err)
		}
		var e Applied
		d := json.NewDecoder(bytes.NewReader(line))
		d.UseNumber()
		if err := d.Decode(&e); err != nil || e.N != len(list)+1 {
			if good+int64(len(line)) == int64(len(b)) && err != nil {
				return list, good, nil
			}
			return nil, 0, fmt.Errorf("applied log: line %d is damaged", len(list)+1)
		}
		list = append(list, e)
		good += int64(len(line))
	}
}

// openLog opens the log for appending, reads it and cuts off a torn last line.
func openLog(dir string) (*os.File, []Applied, int64, error) {
	f, err := os.OpenFile(filepath.Join(dir, logName), os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // as above
	if err != nil {
		return nil, nil, 0, fmt.Errorf("open applied log: %w", err)
	}
	list, size, err := readLog(f)
	if err != nil {
		return nil, nil, 0, errors.Join(err, f.Close())
	}
	return f, list, size, nil
}

func readLog(f *os.File) ([]Applied, int64, error) {
	b, err := io.ReadAll(f)
	if err != nil {
		return nil, 0, fmt.Errorf("read applied log: %w", err)
	}
	list, good, err := parseLog(b)
	if err != nil {
		return nil, 0, err
	}
	if good < int64(len(b)) {
		if err := cutLog(f, good); err != nil {
			return nil, 0, err
		}
	}
	return list, good, nil
}

// cutLog makes the log size bytes long, durably.
func cutLog(f *os.File, size int64) error {
	if err := f.Truncate(size); err != nil {
		return fmt.Errorf("cut applied log: %w", err)
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("sync applied log: %w", err)
	}
	return nil
}

// append writes one entry; sync makes it durable. After an error the system no longer
// knows what is on disk, and takes no more writes.
func (s *System) append(e Applied) error {
	b, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode applied entry: %w", err)
	}
	b = append(b, '\n')
	if _, err := s.log.WriteAt(b, s.size); err != nil {
		s.broken = true
		return fmt.Errorf("write applied log: %w", err)
	}
	s.size += int64(len(b))
	s.unsynced = true
	return nil
}

// sync makes what was appended durable. No answer may leave before.
func (s *System) sync() error {
	if !s.unsynced {
		return nil
	}
	if err := s.log.Sync(); err != nil {
		s.broken = true
		return fmt.Errorf("sync applied log: %w", err)
	}
	s.unsynced = false
	return nil
}

// meta ties a state folder to the seed that its log was written over.
type meta struct {
	System string `json:"system"`
	Seed   string `json:"seed"`
}

// checkMeta writes the folder's meta file, or compares it: a log over another
// seed would give a state that never was.
func checkMeta(dir string, want meta) error {
	path := filepath.Join(dir, metaName)
	b, err := os.ReadFile(path) //nolint:gosec // as above
	if errors.Is(err, fs.ErrNotExist) {
		return writeMeta(path, want)
	}
	if err != nil {
		return fmt.Errorf("read state: %w", err)
	}
	var have meta
	if err := json.Unmarshal(b, &have); err != nil {
		return fmt.Errorf("read state %s: %w", metaName, err)
	}
	if have != want {
		return fmt.Errorf("state folder belongs to system %q with another seed or another name: want %q; use an empty folder", have.System, want.System)
	}
	return nil
}

func writeMeta(path string, m meta) error {
	b, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode state: %w", err)
	}
	if err := os.WriteFile(path+".new", append(b, '\n'), 0o600); err != nil { //nolint:gosec // the folder is the caller's choice
		return fmt.Errorf("write state: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil { //nolint:gosec // the folder is the caller's choice
		return fmt.Errorf("write state: %w", err)
	}
	return nil
}

// hash names a seed by its content.
func (seed Seed) hash() string {
	names := make([]string, 0, len(seed))
	for n := range seed {
		names = append(names, n)
	}
	sort.Strings(names)
	h := sha256.New()
	for _, n := range names {
		_, _ = fmt.Fprintf(h, "%s %d\n", n, len(seed[n])) // a hash takes everything
		for _, raw := range seed[n] {
			_, _ = fmt.Fprintf(h, "%d\n%s\n", len(raw), raw)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}
