package audit

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Key signs checkpoints and exports of one log. Notes are written as in
// transparency logs (https://c2sp.org/signed-note): a text, an empty line, and a
// line "— name signature", where the signature begins with the key's number.
type Key struct {
	log     string
	private ed25519.PrivateKey
}

// NewKey makes the key of a log from 32 bytes.
func NewKey(log string, seed [32]byte) *Key {
	return &Key{log: log, private: ed25519.NewKeyFromSeed(seed[:])}
}

// Public is what others check our notes with.
func (k *Key) Public() Public {
	return Public{Log: k.log, key: k.private.Public().(ed25519.PublicKey)}
}

// Public is the public half of a key.
type Public struct {
	Log string
	key ed25519.PublicKey
}

const (
	algEd25519 = 1
	namePrefix = "touchstone-audit/"
)

func (p Public) name() string { return namePrefix + p.Log }

// ID is the key's number in signatures: 4 bytes of
// SHA-256(name ‖ "\n" ‖ 1 ‖ public key).
func (p Public) ID() string { return hex.EncodeToString(p.id()) }

func (p Public) id() []byte {
	h := sha256.New()
	h.Write([]byte(p.name() + "\n"))
	h.Write([]byte{algEd25519})
	h.Write(p.key)
	return h.Sum(nil)[:4]
}

// String is the key as it is printed: name+number+base64 of 1 ‖ public key.
func (p Public) String() string {
	return p.name() + "+" + p.ID() + "+" + base64.StdEncoding.EncodeToString(append([]byte{algEd25519}, p.key...))
}

// ParsePublic reads a key as String writes it.
func ParsePublic(text string) (p Public, err error) {
	name, rest, ok := strings.Cut(strings.TrimSpace(text), "+")
	id, coded, ok2 := strings.Cut(rest, "+")
	log, ok3 := strings.CutPrefix(name, namePrefix)
	raw, err := decode64(coded)
	if !ok || !ok2 || !ok3 || log == "" || err != nil || len(raw) != 1+ed25519.PublicKeySize || raw[0] != algEd25519 {
		return p, errors.New("is no public key of an audit trail; touchstone audit key prints one")
	}
	p = Public{Log: log, key: raw[1:]}
	if p.ID() != id {
		return p, errors.New("is a public key with a mistake in it: its number does not fit")
	}
	return p, nil
}

// decode64 reads base64 in the one way in which we write it. The decoder alone takes
// others for the same bytes: line feeds among it, and bits of the last character that
// stand for nothing.
func decode64(text string) ([]byte, error) {
	b, err := base64.StdEncoding.DecodeString(text)
	if err == nil && base64.StdEncoding.EncodeToString(b) != text {
		err = errTorn
	}
	return b, err
}

// errTorn says that a note is not whole: a crash cut it off while it was
// written.
var errTorn = errors.New("is not whole")

// sign makes a note of a text that ends with a line feed.
func (k *Key) sign(text string) string {
	p := k.Public()
	sig := append(p.id(), ed25519.Sign(k.private, []byte(text))...)
	return text + "\n— " + p.name() + " " + base64.StdEncoding.EncodeToString(sig) + "\n"
}

// open gives the text of a note whose signature holds.
func (p Public) open(note string) (string, error) {
	text, signature, ok := strings.Cut(note, "\n\n")
	if !ok {
		return "", errTorn
	}
	text += "\n"
	coded, ok := strings.CutPrefix(signature, "— "+p.name()+" ")
	if !ok {
		return "", errors.New("is signed by another log, or by nobody")
	}
	coded, whole := strings.CutSuffix(coded, "\n")
	sig, err := decode64(coded)
	switch {
	case !whole || err != nil || len(sig) != 4+ed25519.SignatureSize:
		return "", errTorn
	case !bytes.Equal(sig[:4], p.id()):
		return "", errors.New("is signed with another key")
	}
	if !ed25519.Verify(p.key, []byte(text), sig[4:]) {
		return "", errors.New("has a signature that does not hold")
	}
	return text, nil
}

// Checkpoint says of a log how far it had come and what its last hash was.
type Checkpoint struct {
	Log string
	N   int64
	H   []byte
	At  string // in TimeLayout
}

// Checkpoint signs a checkpoint. The number of the key stands in its signature.
func (k *Key) Checkpoint(n int64, h []byte, at string) string {
	return k.sign(fmt.Sprintf("%s\n%d\n%s\n%s\n", k.Public().name(), n, base64.StdEncoding.EncodeToString(h), at))
}

// Checkpoint reads a signed checkpoint; the error says what is wrong with it.
func (p Public) Checkpoint(note string) (c Checkpoint, err error) {
	text, err := p.open(note)
	if err != nil {
		return c, fmt.Errorf("a checkpoint %w", err)
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) != 4 || lines[0] != p.name() {
		return c, errors.New("a checkpoint has another form")
	}
	c = Checkpoint{Log: p.Log, At: lines[3]}
	if c.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil || c.N < 1 {
		return c, errors.New("a checkpoint has no number")
	}
	if c.H, err = decode64(lines[2]); err != nil || len(c.H) != HashSize {
		return c, errors.New("a checkpoint has no hash")
	}
	return c, nil
}

// maxCheckpoints bounds how many notes of a file are read.
const maxCheckpoints = 10_000_000

// ReadNotes gives the notes of a file that they were appended to, one after the
// other, also those that are not whole.
func ReadNotes(r io.Reader, each func(note string) error) error {
	in := bufio.NewScanner(io.LimitReader(r, 1<<32))
	in.Buffer(make([]byte, 0, 4096), 64<<10)
	var note strings.Builder
	count := 0
	flush := func() error {
		text := note.String()
		note.Reset()
		if strings.TrimSpace(text) == "" {
			return nil
		}
		if count++; count > maxCheckpoints {
			return fmt.Errorf("more than %d checkpoints", maxCheckpoints)
		}
		return each(text)
	}
	for in.Scan() {
		line := in.Text()
		if line == "" && note.Len() == 0 {
			continue
		}
		if strings.HasPrefix(line, namePrefix) { // what stands before it was torn
			if err := flush(); err != nil {
				return err
			}
		}
		note.WriteString(line + "\n")
		if strings.HasPrefix(line, "— ") {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := in.Err(); err != nil {
		return fmt.Errorf("read checkpoints: %w", err)
	}
	return flush()
}
