package auth

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// Argon2id as the OWASP Password Storage Cheat Sheet has it: 19 MiB, two
// passes, one lane. A hash names what it was made with, so that these may grow.
const (
	argonMemory = 19 * 1024 // KiB
	argonTime   = 2
	argonLanes  = 1
	saltSize    = 16
	hashSize    = 32
)

// Bounds on what a stored hash may ask for: a damaged row must not take the
// machine's memory.
const (
	maxArgonMemory = 256 * 1024 // KiB
	maxArgonTime   = 16
	maxArgonLanes  = 16
)

// maxWaiting is how many passwords may wait for their turn; more are told to
// come back.
const maxWaiting = 64

// ErrBusy says that too many passwords are being checked at once.
var ErrBusy = errors.New("too many passwords are being checked at once")

// Hasher makes and checks password hashes, a few at a time: each takes 19 MiB.
type Hasher struct {
	rand    func([]byte)
	slots   chan struct{}
	waiting atomic.Int32
	done    atomic.Int64
}

// NewHasher makes one that works on n passwords at a time.
func NewHasher(random func([]byte), n int) *Hasher {
	return &Hasher{rand: random, slots: make(chan struct{}, n)}
}

// Done counts the hashes that were computed.
func (h *Hasher) Done() int64 { return h.done.Load() }

// Hash gives the argon2id hash of a password as a PHC string.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	p := phc{memory: argonMemory, time: argonTime, lanes: argonLanes, salt: make([]byte, saltSize), hash: make([]byte, hashSize)}
	h.rand(p.salt)
	sum, err := h.sum(ctx, p, password)
	if err != nil {
		return "", err
	}
	p.hash = sum
	return p.String(), nil
}

// Verify says whether a password is the one of a PHC string. With "" it does
// the same work and says no: whether there is an account shows in nothing.
func (h *Hasher) Verify(ctx context.Context, stored, password string) (bool, error) {
	p := phc{memory: argonMemory, time: argonTime, lanes: argonLanes, salt: make([]byte, saltSize), hash: make([]byte, hashSize)}
	if stored != "" {
		var err error
		if p, err = parsePHC(stored); err != nil {
			return false, err
		}
	}
	if len(password) > maxPasswordBytes {
		password = "" // nobody's: no more of it is hashed
	}
	sum, err := h.sum(ctx, p, password)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(sum, p.hash) == 1 && stored != "", nil
}

func (h *Hasher) sum(ctx context.Context, p phc, password string) ([]byte, error) {
	if h.waiting.Add(1) > maxWaiting {
		h.waiting.Add(-1)
		return nil, ErrBusy
	}
	defer h.waiting.Add(-1)
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-h.slots }()
	h.done.Add(1)
	return argon2.IDKey([]byte(sameText(password)), p.salt, p.time, p.memory, p.lanes, uint32(len(p.hash))), nil
}

// sameText writes a password the same way whichever keyboard it was typed on.
func sameText(password string) string { return norm.NFKC.String(password) }

// phc is an argon2id hash with its parameters.
type phc struct {
	memory, time uint32
	lanes        uint8
	salt, hash   []byte
}

func (p phc) String() string {
	b := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.memory, p.time, p.lanes, b.EncodeToString(p.salt), b.EncodeToString(p.hash))
}

var errHash = errors.New("the stored password hash is damaged; set the password anew: touchstone user password LOGIN")

func parsePHC(s string) (p phc, err error) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, errHash
	}
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.time, &p.lanes); err != nil || n != 3 {
		return p, errHash
	}
	if p.memory > maxArgonMemory || p.time > maxArgonTime || p.lanes > maxArgonLanes || p.time < 1 || p.lanes < 1 {
		return p, errHash
	}
	b := base64.RawStdEncoding
	salt, err1 := b.DecodeString(parts[4])
	hash, err2 := b.DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(salt) < 8 || len(hash) < 16 || len(hash) > 64 {
		return p, errHash
	}
	p.salt, p.hash = salt, hash
	return p, nil
}
