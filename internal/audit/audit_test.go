package audit

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestBodyIsCanonical(t *testing.T) {
	e := Entry{
		Seq: 7, At: "2026-01-02T03:04:05.000000Z", Who: "a\"b\\c\n\x01é<>&\u2028", Role: "steward", Request: "r1", What: "decision.merge",
		Subjects: []string{"d1", "李"}, Before: []byte{1, 2}, After: nil, Outcome: Done, MAC: []byte{255},
	}
	want := `{"action":"decision.merge","actor":"a\"b\\c\n\u0001é<>&` + "\u2028" + `","after":"","at":"2026-01-02T03:04:05.000000Z","before":"0102","mac":"ff","outcome":"done","request":"r1","role":"steward","seq":7,"subjects":["d1","李"]}`
	if got := string(e.Body()); got != want {
		t.Errorf("body\n%s\nwant\n%s", got, want)
	}
	var back struct{ Actor string }
	if err := json.Unmarshal(e.Body(), &back); err != nil || back.Actor != e.Who {
		t.Errorf("read back: actor %q (%v), want %q", back.Actor, err, e.Who)
	}
}

// TestLink holds the hash against one computed by hand (printf and sha256sum):
// who checks an export with a program of their own gets the same.
func TestLink(t *testing.T) {
	if got, want := hex.EncodeToString(Link(1, Start(), []byte("{}"))), "a41d1d1f783c8e3246b561291127e7efa5babd354dcde264292d73ba5a798fe2"; got != want {
		t.Errorf("Link(1, 0…, {}) = %s, want %s", got, want)
	}
}

func TestNotes(t *testing.T) {
	k, other := NewKey("log1", [32]byte{1}), NewKey("log1", [32]byte{2})
	pub, err := ParsePublic(k.Public().String() + "\n")
	if err != nil || pub.ID() != k.Public().ID() {
		t.Fatalf("the printed key reads as %v, %v", pub, err)
	}
	note := k.Checkpoint(12, Link(1, Start(), nil), "2026-01-02T03:04:05.000000Z")
	if c, err := pub.Checkpoint(note); err != nil || c.N != 12 || c.At != "2026-01-02T03:04:05.000000Z" || !bytes.Equal(c.H, Link(1, Start(), nil)) {
		t.Errorf("checkpoint reads as %+v, %v", c, err)
	}
	for name, bad := range map[string]string{
		"another number":  strings.Replace(note, "\n12\n", "\n13\n", 1),
		"another time":    strings.Replace(note, "2026", "2025", 1),
		"another key":     other.Checkpoint(12, Link(1, Start(), nil), "2026-01-02T03:04:05.000000Z"),
		"another log":     NewKey("log2", [32]byte{1}).Checkpoint(12, Start(), "t"),
		"no signature":    note[:strings.Index(note, "—")],
		"half of it":      note[:len(note)-20],
		"text behind it":  note + "more\n",
		"nothing":         "",
		"a line too much": strings.Replace(note, "\n12\n", "\n12\n12\n", 1),
	} {
		if c, err := pub.Checkpoint(bad); err == nil {
			t.Errorf("%s: reads as %+v, want an error", name, c)
		}
	}
	for _, bad := range []string{"", "x", "touchstone-audit/log1", strings.Replace(pub.String(), "log1", "log2", 1), pub.String()[:len(pub.String())-5]} {
		if _, err := ParsePublic(bad); err == nil {
			t.Errorf("ParsePublic(%q) takes it", bad)
		}
	}
}

func TestReadMarks(t *testing.T) {
	k := NewKey("log1", [32]byte{1})
	note := func(n int64) string { return k.Checkpoint(n, Link(n, Start(), nil), "2026-01-02T03:04:05.000000Z") }
	tests := []struct {
		name     string
		file     string
		n        int
		problems int
	}{
		{"empty", "", 0, 0},
		{"two", note(1) + "\n" + note(2), 2, 0},
		{"torn at the end", note(1) + "\n" + note(2)[:40], 1, 0},
		{"torn in its signature", note(1) + "\n" + note(2)[:len(note(2))-20], 1, 0},
		{"torn in the middle", note(1) + "\n" + note(2)[:40] + "\n" + note(3), 2, 0},
		{"forged", note(1) + "\n" + strings.Replace(note(2), "\n2\n", "\n3\n", 1), 1, 1},
		{"of another key", NewKey("log1", [32]byte{9}).Checkpoint(1, Start(), "t"), 0, 1},
		{"of another log", NewKey("log9", [32]byte{1}).Checkpoint(1, Start(), "t"), 0, 1},
	}
	for _, tt := range tests {
		var r Report
		m, err := ReadMarks(strings.NewReader(tt.file), k.Public(), &r)
		if err != nil || m.N != tt.n || len(r.Problems) != tt.problems {
			t.Errorf("%s: %d checkpoints, problems %v, error %v; want %d checkpoints and %d problems", tt.name, m.N, r.Problems, err, tt.n, tt.problems)
		}
	}
}

func TestFromWithoutWith(t *testing.T) {
	if by := From(context.Background()); by != (By{}) {
		t.Errorf("From(background) = %+v", by)
	}
	if by := From(With(context.Background(), By{"admin", "r"})); by != (By{"admin", "r"}) {
		t.Errorf("From(With) = %+v", by)
	}
}

// trail is a chain of entries with what an honest installation made of it.
type trail struct {
	key    *Key
	bodies [][]byte
	marks  []int64 // where checkpoints were made
}

func newTrail(n int) *trail {
	t := &trail{key: NewKey("log1", [32]byte{1})}
	for i := range n {
		e := Entry{Seq: int64(i*3 + 1), At: at(i), Who: "anna", Role: "steward", What: "decision.merge", Subjects: []string{fmt.Sprint("g", i)}, Outcome: Done, After: []byte{byte(i)}, MAC: []byte{1, byte(i)}}
		t.bodies = append(t.bodies, e.Body())
		if i%10 == 9 {
			t.marks = append(t.marks, int64(i+1))
		}
	}
	return t
}

func at(i int) string { return fmt.Sprintf("2026-01-02T03:%02d:%02d.000000Z", i/60, i%60) }

// hashes chains bodies.
func hashes(bodies [][]byte) (hs [][]byte) {
	prev := Start()
	for i, b := range bodies {
		prev = Link(int64(i+1), prev, b)
		hs = append(hs, prev)
	}
	return hs
}

// checkpoints were made while the trail was whole.
func (t *trail) checkpoints() (m Marks) {
	hs := hashes(t.bodies)
	for _, n := range t.marks {
		m.Add(Checkpoint{Log: "log1", N: n, H: hs[n-1], At: at(int(n - 1))})
	}
	return m
}

func export(key *Key, bodies [][]byte, hs [][]byte) []byte {
	var out bytes.Buffer
	n := int64(len(bodies))
	w, err := NewWriter(&out, key, 1, n, Start(), n, "2026-02-01T00:00:00.000000Z")
	for i := range bodies {
		if err == nil {
			err = w.Add(int64(i+1), hs[i], bodies[i])
		}
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic(err)
	}
	return out.Bytes()
}

func verify(t *testing.T, file []byte, key *Key, m Marks) *Report {
	t.Helper()
	r, err := VerifyExport(bytes.NewReader(file), key.Public(), m)
	if err != nil {
		r.Add(Problem{Text: err.Error()}) // a line too long to be one is found too
	}
	return r
}

func TestExportHolds(t *testing.T) {
	whole := newTrail(50)
	r := verify(t, export(whole.key, whole.bodies, hashes(whole.bodies)), whole.key, whole.checkpoints())
	if !r.Whole() || r.First != 1 || r.Last != 50 || r.Checkpoints != 5 {
		t.Errorf("report %+v, want 1 to 50 whole with 5 checkpoints", r)
	}
	// A part, and one that is older than the newest checkpoint.
	hs := hashes(whole.bodies)
	var out bytes.Buffer
	w, err := NewWriter(&out, whole.key, 31, 32, hs[29], 50, at(49))
	if err != nil {
		t.Fatal(err)
	}
	for n := int64(31); n <= 32; n++ {
		if err := w.Add(n, hs[n-1], whole.bodies[n-1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if r := verify(t, out.Bytes(), whole.key, whole.checkpoints()); !r.Whole() || r.First != 31 || r.Last != 32 {
		t.Errorf("a part: %+v, want 31 to 32 whole", r)
	}
}

// TestMutations changes exports at random and wants each change found:
// some are done to the file, others to the store before an honest export, by
// somebody who chains anew but cannot sign. Of those, only what was forged
// behind the last checkpoint cannot be told by checkpoints; rows' own hashes tell
// it in the store, where the key is.
func TestMutations(t *testing.T) {
	const rounds = 9744
	whole := newTrail(50)
	marks := whole.checkpoints()
	file := export(whole.key, whole.bodies, hashes(whole.bodies))
	lines := bytes.SplitAfter(file, []byte("\n"))
	lines = lines[:len(lines)-1]
	counts := map[string]int{}
	for seed := range uint64(rounds) {
		r := rand.New(rand.NewPCG(6, seed))
		kind, bad := mutate(r, whole, file, lines)
		if bytes.Equal(bad, file) {
			continue
		}
		counts[kind]++
		if rep := verify(t, bad, whole.key, marks); rep.Whole() {
			t.Errorf("seed %d: %s was not found", seed, kind)
		}
	}
	for _, kind := range []string{"flip", "delete", "swap", "truncate", "edit+rechain", "insert+rechain", "delete+rechain", "set back", "head"} {
		if counts[kind] < 500 {
			t.Errorf("%s: tried %d times, want 500 or more (%v)", kind, counts[kind], counts)
		}
	}
}

func mutate(r *rand.Rand, whole *trail, file []byte, lines [][]byte) (kind string, bad []byte) {
	cut := func(i, j int, with ...[]byte) []byte {
		var out []byte
		for _, part := range [][][]byte{lines[:i], with, lines[j:]} {
			out = append(out, bytes.Join(part, nil)...)
		}
		return out
	}
	// Behind the last checkpoint nothing that is chained anew can be told here.
	i := r.IntN(int(whole.marks[len(whole.marks)-1]))
	bodies := append([][]byte(nil), whole.bodies...)
	again := func() []byte { return export(whole.key, bodies, hashes(bodies)) }
	switch r.IntN(9) {
	case 0:
		out := bytes.Clone(file)
		out[r.IntN(len(out))] ^= 1 << r.IntN(8)
		return "flip", out
	case 1:
		n := r.IntN(len(lines))
		return "delete", cut(n, n+1)
	case 2:
		a, b := r.IntN(len(lines)), r.IntN(len(lines))
		a, b = min(a, b), max(a, b)
		if a == b {
			return "swap", file
		}
		out := append([][]byte(nil), lines...)
		out[a], out[b] = out[b], out[a]
		return "swap", bytes.Join(out, nil)
	case 3:
		return "truncate", file[:r.IntN(len(file))]
	case 4:
		bodies[i] = bytes.Replace(bodies[i], []byte("anna"), []byte("otto"), 1)
		return "edit+rechain", again()
	case 5:
		bodies = append(bodies[:i:i], append([][]byte{[]byte(`{"forged":true}`)}, bodies[i:]...)...)
		return "insert+rechain", again()
	case 6:
		bodies = append(bodies[:i:i], bodies[i+1:]...)
		return "delete+rechain", again()
	case 7: // the whole store as it was before the last checkpoint
		bodies = bodies[:i]
		return "set back", again()
	default:
		n := lines[0][:]
		digits := []byte("0123456789")
		out := bytes.Clone(n)
		for {
			k := r.IntN(len(out))
			if bytes.IndexByte(digits, out[k]) >= 0 {
				out[k] = digits[r.IntN(10)]
				return "head", cut(0, 1, out)
			}
		}
	}
}

// FuzzEntry holds that an entry reads as it was written, whatever it says, that
// its export is taken as whole, and that no changed byte of it is.
func FuzzEntry(f *testing.F) {
	f.Add("anna", "decision.merge", "crm/company/AB 12", "", int64(7), 40)
	f.Add("a\"b\\c\n\x01é<>&\u2028", "李\x7f\x00", "\xff\xc0", "\xed\xa0\x80", int64(-1), 0)
	f.Add("", "", "", strings.Repeat("长", 1000), int64(1<<62), 1<<20)
	key := NewKey("log1", [32]byte{1})
	f.Fuzz(func(t *testing.T, who, what, subject, detail string, seq int64, at int) {
		e := Entry{Seq: seq, At: "2026-01-02T03:04:05.000000Z", Who: who, What: what, Subjects: []string{subject, who}, Detail: detail, Before: []byte(subject), Outcome: Done, MAC: []byte(what)}
		var back struct {
			Actor, Action, Detail, Before, Mac string
			Subjects                           []string
			Seq                                int64
		}
		if err := json.Unmarshal(e.Body(), &back); err != nil {
			t.Fatalf("%q: %v", e.Body(), err)
		}
		read := func(s string) string { return string([]rune(s)) } // a byte that is no UTF-8 is U+FFFD to readers
		if back.Actor != read(who) || back.Action != read(what) || back.Detail != read(detail) || back.Subjects[0] != read(subject) || back.Seq != seq || back.Before != hex.EncodeToString(e.Before) {
			t.Fatalf("%q is read as %+v", e.Body(), back)
		}
		bodies := [][]byte{e.Body(), []byte("{}")}
		file := export(key, bodies, hashes(bodies))
		if r := verify(t, file, key, Marks{}); !r.Whole() {
			t.Fatalf("the export of %q: %v", e.Body(), r.Problems)
		}
		file[int(uint(at)%uint(len(file)))] ^= 1 << (uint(seq) % 8)
		if r, err := VerifyExport(bytes.NewReader(file), key.Public(), Marks{}); err == nil && r.Whole() {
			t.Fatalf("a changed byte of %q is not found", file)
		}
	})
}

func FuzzVerifyExport(f *testing.F) {
	whole := newTrail(3)
	f.Add(export(whole.key, whole.bodies, hashes(whole.bodies)))
	f.Add([]byte(`{"touchstone":"audit","version":1,"log":"log1","first":-9223372036854775808}` + "\n" + `{"note":"x"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := VerifyExport(bytes.NewReader(b), whole.key.Public(), Marks{})
		if err == nil && r.Whole() && !bytes.Equal(b, export(whole.key, whole.bodies, hashes(whole.bodies))) {
			t.Errorf("another export than was signed is taken: %q", b)
		}
	})
}
