package auth

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestCodesOfRFC6238 are the vectors of RFC 6238, appendix B, for SHA-1; six
// digits are the last six of eight.
func TestCodesOfRFC6238(t *testing.T) {
	key := []byte("12345678901234567890")
	for at, want := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		if got := TOTPCode(key, at/totpStep); got != want {
			t.Errorf("code at %d = %s, want %s", at, got, want)
		}
	}
}

func TestACodeIsGoodOnceAndForAShortWhile(t *testing.T) {
	key := []byte("12345678901234567890")
	now := time.Unix(1111111109, 0)
	step := now.Unix() / totpStep
	tests := []struct {
		name string
		code string
		last int64
		want int64
	}{
		{"of now", TOTPCode(key, step), 0, step},
		{"with blanks", " 081 804 ", 0, step},
		{"one before", TOTPCode(key, step-1), 0, step - 1},
		{"one ahead", TOTPCode(key, step+1), 0, step + 1},
		{"two before", TOTPCode(key, step-2), 0, 0},
		{"two ahead", TOTPCode(key, step+2), 0, 0},
		{"used", TOTPCode(key, step), step, 0},
		{"older than the one used", TOTPCode(key, step-1), step, 0},
		{"newer than the one used", TOTPCode(key, step+1), step, step + 1},
		{"empty", "", 0, 0},
		{"too short", "08180", 0, 0},
		{"no digits", "ABCDEF", 0, 0},
	}
	for _, tt := range tests {
		got, ok := CheckTOTP(key, tt.code, now, tt.last)
		if got != tt.want || ok != (tt.want != 0) {
			t.Errorf("%s: %d, %v, want step %d", tt.name, got, ok, tt.want)
		}
	}
}

func TestTheKeyAsItIsShown(t *testing.T) {
	key := []byte("12345678901234567890")
	if got, want := TOTPText(key), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"; got != want {
		t.Errorf("TOTPText = %q, want %q", got, want)
	}
	got := TOTPAddress("Touch stone", "ann@example.com", key)
	if want := "otpauth://totp/Touch%20stone:ann@example.com?issuer=Touch%20stone&secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"; got != want {
		t.Errorf("TOTPAddress = %q, want %q", got, want)
	}
	if u, err := url.Parse(got); err != nil || u.Query().Get("secret") == "" {
		t.Errorf("the address does not parse: %v", err)
	}
}

func TestSecretsAreLongAndUnlike(t *testing.T) {
	random := dice()
	token, shown := NewToken(random)
	if !regexp.MustCompile(`^tsk_[A-Za-z0-9_-]{43}$`).MatchString(token) || len(shown) != 8 || !strings.HasPrefix(token, shown) {
		t.Errorf("token %q shown as %q", token, shown)
	}
	seen := map[string]bool{}
	for range 5 {
		for _, c := range NewRecoveryCodes(random) {
			if !regexp.MustCompile(`^[a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{4}$`).MatchString(c) || seen[c] {
				t.Errorf("recovery code %q: want three groups of four, each once", c)
			}
			seen[c] = true
			if p := PlainRecovery(" " + strings.ToUpper(c) + " "); p != strings.ReplaceAll(c, "-", "") {
				t.Errorf("PlainRecovery(%q) = %q", c, p)
			}
		}
	}
	for _, bad := range []string{"", "123456", "abcd-efgh-jkm", strings.Repeat("a", 500)} {
		if p := PlainRecovery(bad); p != "" {
			t.Errorf("PlainRecovery(%q) = %q, want nothing", bad, p)
		}
	}
}
