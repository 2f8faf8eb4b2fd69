package auth

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"strings"
)

// TokenPrefix is what every API token begins with, so that it is known where it
// was lost.
const TokenPrefix = "tsk_"

// tokenShown is how much of a token is kept to tell it from others.
const tokenShown = len(TokenPrefix) + 4

// recoveryCodes is how many an account gets.
const recoveryCodes = 10

// NewSecret makes 256 random bits in letters, digits, - and _.
func NewSecret(random func([]byte)) string {
	var b [32]byte
	random(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// NewToken makes an API token; shown is the part of it that may be shown later.
func NewToken(random func([]byte)) (token, shown string) {
	token = TokenPrefix + NewSecret(random)
	return token, token[:tokenShown]
}

// HashSecret is what is kept of a secret that was made at random: it has too
// many bits to be tried.
func HashSecret(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

var recoveryCoding = base32.NewEncoding("abcdefghjkmnpqrstuvwxyz123456789").WithPadding(base32.NoPadding)

// NewRecoveryCodes makes codes for who has lost the authenticator: 60 bits
// each, in three groups of four.
func NewRecoveryCodes(random func([]byte)) []string {
	codes := make([]string, recoveryCodes)
	for i := range codes {
		var b [8]byte
		random(b[:])
		codes[i] = inGroups(recoveryCoding.EncodeToString(b[:])[:12], 4, "-")
	}
	return codes
}

// PlainRecovery is a recovery code without what people type between its
// letters; "" for what cannot be one.
func PlainRecovery(code string) string {
	code = strings.ToLower(strings.NewReplacer(" ", "", "-", "").Replace(strings.TrimSpace(code)))
	if len(code) != 12 {
		return ""
	}
	return code
}

// ShortHash names something by 8 letters of its hash.
func ShortHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base32.StdEncoding.EncodeToString(sum[:5])
}
