package file

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"unicode/utf8"
)

const optionsDigits = 16

// position is what a cursor holds: where in which state of which file the next
// record begins. Its size does not depend on the number of files.
type position struct {
	Options string `json:"opt"`            // start of the client's seed: another way of reading starts the pass again
	Sum     string `json:"sum"`            // chained over the finished files
	File    string `json:"file,omitempty"` // the file being read
	Name    []byte `json:"name,omitempty"` // File where it is no UTF-8, as of an archive made in GBK: JSON would write another name
	Size    int64  `json:"size,omitempty"`
	Mod     int64  `json:"mod,omitempty"`
	Offset  int64  `json:"off,omitempty"`  // in the decoded text, a byte order mark not counted
	Line    int    `json:"line,omitempty"` // number of the line at Offset
	Done    bool   `json:"done,omitempty"` // the pass is over: the next Pull starts another
}

func (p position) encode() []byte {
	if !utf8.ValidString(p.File) {
		p.Name, p.File = []byte(p.File), ""
	}
	b, err := json.Marshal(p)
	if err != nil { // a struct of texts and numbers always marshals
		panic(err)
	}
	return b
}

func parseCursor(cursor []byte) (position, error) {
	var p position
	if len(cursor) == 0 {
		return p, nil
	}
	if err := json.Unmarshal(cursor, &p); err != nil {
		return p, fmt.Errorf("read cursor: %w", err)
	}
	if p.Offset < 0 || p.Line < 0 {
		return p, fmt.Errorf("read cursor: offset %d, line %d: want none below 0", p.Offset, p.Line)
	}
	if len(p.Name) > 0 {
		p.File, p.Name = string(p.Name), nil
	}
	return p, nil
}

// chain adds one finished file to the sum of those before it.
func chain(sum, name string, info fs.FileInfo) string {
	h := sha256.Sum256(fmt.Appendf(nil, "%s\x00%q %d %d", sum, name, info.Size(), info.ModTime().UnixNano()))
	return hex.EncodeToString(h[:])
}
