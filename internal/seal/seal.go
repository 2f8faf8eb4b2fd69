// Package seal keeps personal bytes unreadable without a key that can be
// destroyed: every source record has its own data key, and erasing a person
// means forgetting that key.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// SaltSize is the length of a record's salt in bytes. The data key is
// HMAC-SHA256(installation key, "data" ‖ salt): without the salt it cannot be
// found again, so forgetting the salt destroys the key.
const SaltSize = 16

// KeyFile is the name of the installation key's file in the data folder.
const KeyFile = "installation.key"

// Vault holds the installation key.
type Vault struct {
	key  [32]byte
	macs sync.Pool // of *keyedMAC
}

// ErrErased says that the data key is gone, and the bytes with it.
var ErrErased = errors.New("erased: the data key was destroyed")

// New makes a vault from 32 bytes.
func New(key [32]byte) *Vault { return &Vault{key: key} }

// Open reads the installation key from dir/installation.key, or makes one with
// the given source of randomness. The file is synced before it is used: a key
// that is lost takes every sealed byte with it.
func Open(dir string, random func([]byte)) (*Vault, error) {
	path := filepath.Join(dir, KeyFile)
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return create(path, random)
	case err != nil:
		return nil, fmt.Errorf("read installation key: %w", err)
	}
	b, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(b) != 32 {
		return nil, fmt.Errorf("read installation key: %s does not hold 64 hexadecimal digits; restore it from a backup", path)
	}
	return New([32]byte(b)), nil
}

func create(path string, random func([]byte)) (*Vault, error) {
	var key [32]byte
	random(key[:])
	tmp := path + ".new"
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create installation key: %w", err)
	}
	_, err = fmt.Fprintln(f, hex.EncodeToString(key[:]))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, fmt.Errorf("create installation key: %w", err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return nil, fmt.Errorf("create installation key: %w", err)
	}
	if err := syncFolder(filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("create installation key: %w", err)
	}
	return New(key), nil
}

// syncFolder makes the new name last: a file that is synced can still be lost
// with its entry in the folder.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// MAC is HMAC-SHA256 under the installation key over the parts, each with its
// length, so that no two lists of parts run together.
func (v *Vault) MAC(parts ...string) []byte {
	m := v.keyed()
	defer v.macs.Put(m)
	for _, p := range parts {
		m.text = append(strconv.AppendInt(m.text, int64(len(p)), 10), ':')
		m.text = append(m.text, p...)
	}
	return m.sum()
}

// keyedMAC is an HMAC under the installation key over a text: the key's own part
// of it is made once.
type keyedMAC struct {
	hash hash.Hash
	text []byte
}

// mostText is how long a text may be whose room is used again.
const mostText = 64 << 10

// keyed gives one with an empty text, to be put back.
func (v *Vault) keyed() *keyedMAC {
	m, is := v.macs.Get().(*keyedMAC)
	if !is {
		return &keyedMAC{hash: hmac.New(sha256.New, v.key[:])}
	}
	m.hash.Reset()
	if m.text = m.text[:0]; cap(m.text) > mostText {
		m.text = nil
	}
	return m
}

func (m *keyedMAC) sum() []byte {
	m.hash.Write(m.text)
	return m.hash.Sum(nil)
}

var anchorCoding = base32.NewEncoding("abcdefghjkmnpqrstuvwxyz123456789").WithPadding(base32.NoPadding)

// Anchor is the name a source record has for ever: 16 letters of
// base32(HMAC(installation key, source uid, entity, external id)).
func (v *Vault) Anchor(source, entity, id string) string {
	return anchorCoding.EncodeToString(v.MAC("anchor", source, entity, id)[:10])
}

// Sealed bytes are one byte of format, 12 of nonce, then AES-256-GCM.
const formatGCM = 1

// Seal encrypts plain under the data key of salt. The nonce is 12 bytes of
// HMAC over a place that is used once (record, version, column): no
// randomness is needed and none can repeat.
func (v *Vault) Seal(salt []byte, place string, plain []byte) ([]byte, error) {
	key, aead, err := v.dataKey(salt)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 13, 13+len(plain)+aead.Overhead())
	out[0] = formatGCM
	h := hmac.New(sha256.New, key)
	h.Write([]byte("nonce"))
	h.Write([]byte(place))
	sum := sha256.Sum256(plain)
	h.Write(sum[:])
	copy(out[1:13], h.Sum(nil))
	return aead.Seal(out, out[1:13], plain, nil), nil
}

// Open decrypts what Seal made. Without a salt it answers ErrErased.
func (v *Vault) Open(salt, sealed []byte) ([]byte, error) {
	if len(sealed) == 0 {
		return nil, nil
	}
	_, aead, err := v.dataKey(salt)
	if err != nil {
		return nil, err
	}
	if len(sealed) < 13 || sealed[0] != formatGCM {
		return nil, errors.New("sealed bytes have an unknown format")
	}
	plain, err := aead.Open(nil, sealed[1:13], sealed[13:], nil)
	if err != nil {
		return nil, errors.New("sealed bytes do not open with this installation key")
	}
	return plain, nil
}

// dataKey is the key of a record, and the cipher under it. Without a salt it
// answers ErrErased.
func (v *Vault) dataKey(salt []byte) (key []byte, aead cipher.AEAD, err error) {
	if len(salt) != SaltSize {
		return nil, nil, ErrErased
	}
	m := v.keyed()
	m.text = append(append(m.text, "data"...), salt...)
	key = m.sum()
	v.macs.Put(m)
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, nil, err
	}
	aead, err = cipher.NewGCM(block)
	return key, aead, err
}
