package auth

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // RFC 6238 as every authenticator has it; HMAC-SHA1 is not broken by collisions
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// TOTP of RFC 6238 as authenticators have it: SHA-1, 30 seconds, six digits.
const (
	totpStep   = 30 // seconds
	totpKey    = 20 // bytes, as long as the hash
	totpDigits = 6
	// totpDrift is how many steps a clock may be off, either way.
	totpDrift = 1
)

var base32Key = base32.StdEncoding.WithPadding(base32.NoPadding)

// NewTOTPKey makes a key for an authenticator.
func NewTOTPKey(random func([]byte)) []byte {
	key := make([]byte, totpKey)
	random(key)
	return key
}

// TOTPCode is the code of a step, which is the Unix time divided by 30
// (RFC 4226, section 5.3).
func TOTPCode(key []byte, step int64) string {
	m := hmac.New(sha1.New, key)
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(step))
	m.Write(b[:])
	sum := m.Sum(nil)
	at := sum[len(sum)-1] & 0xf
	n := binary.BigEndian.Uint32(sum[at:at+4]) & 0x7fffffff
	return fmt.Sprintf("%0*d", totpDigits, n%1_000_000)
}

// CheckTOTP says which step a code is of, among those after last: a code that
// was used, or an older one, is not taken again.
func CheckTOTP(key []byte, code string, now time.Time, last int64) (step int64, ok bool) {
	code = strings.Join(strings.Fields(code), "")
	current := now.Unix() / totpStep
	for s := current - totpDrift; s <= current+totpDrift; s++ {
		if subtle.ConstantTimeCompare([]byte(TOTPCode(key, s)), []byte(code)) == 1 && s > last && !ok {
			step, ok = s, true
		}
	}
	return step, ok
}

// TOTPText is the key as people type it: groups of four.
func TOTPText(key []byte) string {
	return inGroups(base32Key.EncodeToString(key), 4, " ")
}

// TOTPAddress is what the QR code says to an authenticator (the Key URI format
// of Google Authenticator).
func TOTPAddress(issuer, login string, key []byte) string {
	q := url.Values{"secret": {base32Key.EncodeToString(key)}, "issuer": {issuer}}
	return "otpauth://totp/" + url.PathEscape(issuer+":"+login) + "?" + strings.ReplaceAll(q.Encode(), "+", "%20")
}

func inGroups(s string, n int, between string) string {
	var b strings.Builder
	for i, r := range s {
		if i > 0 && i%n == 0 {
			b.WriteString(between)
		}
		b.WriteRune(r)
	}
	return b.String()
}
