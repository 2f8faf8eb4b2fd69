// Package audit is what makes the audit trail evident: the canonical form of an
// entry, the chain of hashes over entries, signed checkpoints, and exports that
// can be checked without the store. It reads and writes nothing itself.
package audit

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strconv"
)

// Entry is one entry of the trail. It holds no value of a customer: before and
// after are hashes under a key that is not in the database.
type Entry struct {
	Seq      int64  // fact number of the row
	At       string // in TimeLayout
	Who      string
	Role     string // in which role; "" where there are none
	Request  string // of the page or API; "" elsewhere
	What     string
	Subjects []string
	Before   []byte
	After    []byte
	Outcome  string // Done, or what came of it instead
	Detail   string // how, in a few words that are no customer's; "" for none
	MAC      []byte // of the row, under a key outside the database
}

// Refused is the outcome of what was not let happen.
const Refused = "refused"

// Done is the outcome of what happened as it was asked for.
const Done = "done"

// Body is the entry as canonical JSON (RFC 8785): keys sorted, no white space,
// texts escaped only where they must be.
func (e Entry) Body() []byte {
	b := make([]byte, 0, 320)
	b = append(b, `{"action":`...)
	b = appendText(b, e.What)
	b = append(b, `,"actor":`...)
	b = appendText(b, e.Who)
	b = append(b, `,"after":`...)
	b = appendHex(b, e.After)
	b = append(b, `,"at":`...)
	b = appendText(b, e.At)
	b = append(b, `,"before":`...)
	b = appendHex(b, e.Before)
	if e.Detail != "" { // entries without one are as they always were
		b = append(b, `,"detail":`...)
		b = appendText(b, e.Detail)
	}
	b = append(b, `,"mac":`...)
	b = appendHex(b, e.MAC)
	b = append(b, `,"outcome":`...)
	b = appendText(b, e.Outcome)
	b = append(b, `,"request":`...)
	b = appendText(b, e.Request)
	b = append(b, `,"role":`...)
	b = appendText(b, e.Role)
	b = append(b, `,"seq":`...)
	b = strconv.AppendInt(b, e.Seq, 10)
	b = append(b, `,"subjects":[`...)
	for i, s := range e.Subjects {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, s)
	}
	return append(b, "]}"...)
}

func appendHex(b, v []byte) []byte {
	b = append(b, '"')
	b = hex.AppendEncode(b, v)
	return append(b, '"')
}

// appendText writes a text as RFC 8785 3.2.2.2 says: the two-letter escapes
// where there are any, \u00xx for other control characters, all else as it is.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\b':
			b = append(b, `\b`...)
		case '\t':
			b = append(b, `\t`...)
		case '\n':
			b = append(b, `\n`...)
		case '\f':
			b = append(b, `\f`...)
		case '\r':
			b = append(b, `\r`...)
		default:
			if c < 0x20 {
				b = append(b, `\u00`...)
				b = hex.AppendEncode(b, []byte{c})
			} else {
				b = append(b, c)
			}
		}
	}
	return append(b, '"')
}

// HashSize is the length of a hash of the chain in bytes.
const HashSize = sha256.Size

// Start is the hash before the first entry.
func Start() []byte { return make([]byte, HashSize) }

// Link is the hash of the nth entry of the chain, counted from 1:
// SHA-256("touchstone-audit-v1\0" ‖ n ‖ length of body ‖ hash before ‖ body),
// the numbers as 8 bytes, the highest first.
func Link(n int64, prev, body []byte) []byte {
	h := sha256.New()
	h.Write([]byte("touchstone-audit-v1\x00"))
	var number [16]byte
	binary.BigEndian.PutUint64(number[:8], uint64(n))
	binary.BigEndian.PutUint64(number[8:], uint64(len(body)))
	h.Write(number[:])
	h.Write(prev)
	h.Write(body)
	return h.Sum(nil)
}
