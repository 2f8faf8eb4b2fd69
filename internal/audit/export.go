package audit

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"strconv"
)

// An export is JSON lines: a head, one line for each entry in the order of the
// chain, and at the end a note over everything before it:
//
//	{"touchstone":"audit","version":1,"log":"…","first":1,"last":1000,"prev":"…","head":1200,"at":"…"}
//	{"n":1,"h":"…","body":{…}}
//	…
//	{"note":"…"}

// Head is the first line of an export. Head is how far the log had come when it
// was written, whatever part of it was asked for.
type Head struct {
	Touchstone string `json:"touchstone"`
	Version    int    `json:"version"`
	Log        string `json:"log"`
	First      int64  `json:"first"`
	Last       int64  `json:"last"`
	Prev       string `json:"prev"`
	Head       int64  `json:"head"`
	At         string `json:"at"`
}

const (
	exportKind    = "audit"
	exportVersion = 1
	// maxLine bounds a line of an export. An entry's subjects are bounded when it
	// is written, far below.
	maxLine = 1 << 20
)

// Writer writes an export.
type Writer struct {
	key  *Key
	out  *bufio.Writer
	sum  hash.Hash
	head Head
	last []byte
}

// NewWriter begins an export of the entries first to last. Prev is the hash
// before the first.
func NewWriter(w io.Writer, key *Key, first, last int64, prev []byte, head int64, at string) (*Writer, error) {
	x := &Writer{key: key, out: bufio.NewWriter(w), sum: sha256.New(), last: prev}
	x.head = Head{exportKind, exportVersion, key.log, first, last, hex.EncodeToString(prev), head, at}
	line, err := json.Marshal(x.head)
	if err != nil {
		return nil, err
	}
	return x, x.line(line)
}

func (x *Writer) line(b []byte) error {
	b = append(b, '\n')
	x.sum.Write(b)
	_, err := x.out.Write(b)
	return err
}

// Add writes one entry.
func (x *Writer) Add(n int64, h, body []byte) error {
	x.last = h
	return x.line(exportLine(n, h, body))
}

func exportLine(n int64, h, body []byte) []byte {
	b := make([]byte, 0, len(body)+100)
	b = append(b, `{"n":`...)
	b = strconv.AppendInt(b, n, 10)
	b = append(b, `,"h":`...)
	b = appendHex(b, h)
	b = append(b, `,"body":`...)
	b = append(b, body...)
	return append(b, '}')
}

// Close signs the export.
func (x *Writer) Close() error {
	text := fmt.Sprintf("%s\nexport %d to %d\n%s\n%s\n", x.key.Public().name(), x.head.First, x.head.Last, base64.StdEncoding.EncodeToString(x.last),
		base64.StdEncoding.EncodeToString(x.sum.Sum(nil)))
	b, err := json.Marshal(map[string]string{"note": x.key.sign(text)})
	if err != nil {
		return err
	}
	return errors.Join(x.line(b), x.out.Flush())
}

// Problem is something in a trail that is not as it was written.
type Problem struct {
	N    int64  `json:"n,omitempty"`   // entry of the chain; 0 where none is meant
	Seq  int64  `json:"seq,omitempty"` // fact number of the row; 0 where none is meant
	Text string `json:"text"`
}

func (p Problem) String() string {
	switch {
	case p.N > 0:
		return fmt.Sprintf("entry %d: %s", p.N, p.Text)
	case p.Seq > 0:
		return fmt.Sprintf("row %d: %s", p.Seq, p.Text)
	}
	return p.Text
}

// Report is what a check of a trail found. It is whole when there are no
// problems.
type Report struct {
	Log         string    `json:"log"`
	First       int64     `json:"first"` // entries of the chain that were checked
	Last        int64     `json:"last"`
	Head        string    `json:"head,omitempty"` // hash of the last one
	Open        int       `json:"open"`           // rows not in the chain yet, held by their own hash
	Checkpoints int       `json:"checkpoints"`    // that were compared
	Problems    []Problem `json:"problems,omitempty"`
	More        int       `json:"more,omitempty"` // problems that are not listed
}

// Whole says whether nothing was found.
func (r *Report) Whole() bool { return len(r.Problems) == 0 }

// maxProblems bounds a report: one is enough to know, twenty show the shape.
const maxProblems = 20

// Add notes a problem.
func (r *Report) Add(p Problem) {
	if len(r.Problems) >= maxProblems {
		r.More++
		return
	}
	r.Problems = append(r.Problems, p)
}

// Marks are checkpoints that a trail is compared with.
type Marks struct {
	at   map[int64][]Checkpoint
	Last Checkpoint // the one with the highest number
	N    int
}

// Add takes a checkpoint.
func (m *Marks) Add(c Checkpoint) {
	if m.at == nil {
		m.at = map[int64][]Checkpoint{}
	}
	m.at[c.N] = append(m.at[c.N], c)
	if c.N > m.Last.N {
		m.Last = c
	}
	m.N++
}

// Join takes those of another set.
func (m *Marks) Join(o Marks) {
	for _, list := range o.at {
		for _, c := range list {
			m.Add(c)
		}
	}
}

// Compare holds the nth hash of a chain against the checkpoints.
func (m *Marks) Compare(r *Report, n int64, h []byte) {
	for _, c := range m.at[n] {
		r.Checkpoints++
		if !bytes.Equal(c.H, h) {
			r.Add(Problem{N: n, Text: "is not what the checkpoint of " + c.At + " signed"})
		}
	}
}

// VerifyExport checks an export with nothing but the public key and checkpoints
// that were kept elsewhere. The error says that it could not be read; what is
// wrong with it stands in the report.
func VerifyExport(r io.Reader, key Public, marks Marks) (*Report, error) {
	v := &exportCheck{report: &Report{Log: key.Log}, key: key, marks: marks, sum: sha256.New()}
	in := bufio.NewReaderSize(r, 64<<10)
	for {
		line, err := readLine(in)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return v.report, fmt.Errorf("read export: %w", err)
		}
		v.line(line)
	}
	v.end()
	return v.report, nil
}

func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > maxLine {
			return nil, errors.New("a line is longer than an export has any")
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(line) > 0:
			return line, nil
		}
		return line, err
	}
}

type exportCheck struct {
	report *Report
	key    Public
	marks  Marks
	sum    hash.Hash
	head   Head
	lines  int
	n      int64
	prev   []byte
	signed bool
}

func (v *exportCheck) line(line []byte) {
	v.lines++
	switch {
	case v.signed:
		v.report.Add(Problem{Text: fmt.Sprintf("line %d stands behind the signature", v.lines)})
	case v.lines == 1:
		v.first(line)
	case bytes.HasPrefix(line, []byte(`{"note":`)):
		v.note(line)
		return
	default:
		v.entry(line)
	}
	v.sum.Write(line)
}

func (v *exportCheck) first(line []byte) {
	if err := json.Unmarshal(line, &v.head); err != nil || v.head.Touchstone != exportKind || v.head.Version != exportVersion {
		v.report.Add(Problem{Text: "line 1 is not the head of an export of an audit trail"})
		return
	}
	if v.head.Log != v.key.Log {
		v.report.Add(Problem{Text: "it is the export of another log than the key's"})
	}
	prev, err := hex.DecodeString(v.head.Prev)
	if err != nil || len(prev) != HashSize {
		v.report.Add(Problem{Text: "line 1 has no hash to begin with"})
	}
	v.prev, v.n = prev, v.head.First-1
	v.report.First, v.report.Last = v.head.First, v.head.First-1
	if v.head.First == 1 && !bytes.Equal(prev, Start()) {
		v.report.Add(Problem{N: 1, Text: "does not begin at the beginning"})
	}
	if v.n > 0 {
		v.marks.Compare(v.report, v.n, prev)
	}
}

func (v *exportCheck) entry(line []byte) {
	var e struct {
		N    int64           `json:"n"`
		H    string          `json:"h"`
		Body json.RawMessage `json:"body"`
	}
	text := bytes.TrimSuffix(line, []byte("\n"))
	err := json.Unmarshal(text, &e)
	h, herr := hex.DecodeString(e.H)
	if err != nil || herr != nil || !bytes.Equal(text, exportLine(e.N, h, e.Body)) {
		v.report.Add(Problem{N: v.n + 1, Text: fmt.Sprintf("line %d is not as an export writes it", v.lines)})
		return
	}
	if e.N != v.n+1 {
		v.report.Add(Problem{N: e.N, Text: fmt.Sprintf("stands where entry %d is due", v.n+1)})
	}
	if want := Link(e.N, v.prev, e.Body); !bytes.Equal(want, h) {
		v.report.Add(Problem{N: e.N, Text: "its hash does not follow from it and the one before"})
	}
	v.marks.Compare(v.report, e.N, h)
	v.n, v.prev = e.N, h
	v.report.Last, v.report.Head = e.N, e.H
}

func (v *exportCheck) note(line []byte) {
	v.signed = true
	var n struct {
		Note string `json:"note"`
	}
	if err := json.Unmarshal(line, &n); err != nil {
		v.report.Add(Problem{Text: "the signature cannot be read"})
		return
	}
	if again, err := json.Marshal(map[string]string{"note": n.Note}); err != nil || !bytes.Equal(bytes.TrimSuffix(line, []byte("\n")), again) {
		v.report.Add(Problem{Text: "the line of the signature is not as an export writes it"})
	}
	text, err := v.key.open(n.Note)
	if err != nil {
		v.report.Add(Problem{Text: "the export " + err.Error()})
		return
	}
	want := fmt.Sprintf("%s\nexport %d to %d\n%s\n%s\n", v.key.name(), v.head.First, v.head.Last, base64.StdEncoding.EncodeToString(v.prev),
		base64.StdEncoding.EncodeToString(v.sum.Sum(nil)))
	if text != want {
		v.report.Add(Problem{Text: "what was signed is another export than this"})
	}
}

func (v *exportCheck) end() {
	switch {
	case v.lines == 0:
		v.report.Add(Problem{Text: "the export is empty"})
		return
	case !v.signed:
		v.report.Add(Problem{Text: "the signature at the end is missing: it was cut off, or is no export"})
	case v.n != v.head.Last:
		v.report.Add(Problem{N: v.n + 1, Text: fmt.Sprintf("entries up to %d are missing", v.head.Last)})
	}
	if v.marks.Last.N > v.head.Head && v.marks.Last.At <= v.head.At {
		v.report.Add(Problem{N: v.head.Head + 1, Text: fmt.Sprintf("entries are missing: the checkpoint of %s had %d, this export, made later, knows of %d: the store was set back", v.marks.Last.At, v.marks.Last.N, v.head.Head)})
	}
}

// ReadMarks reads the checkpoints of a file. One that is not whole says nothing;
// one that is whole and was not signed by the key is a problem of the report.
func ReadMarks(r io.Reader, key Public, report *Report) (m Marks, err error) {
	err = ReadNotes(r, func(note string) error {
		c, err := key.Checkpoint(note)
		switch {
		case errors.Is(err, errTorn):
		case err != nil:
			report.Add(Problem{Text: err.Error()})
		default:
			m.Add(c)
		}
		return nil
	})
	return m, err
}
