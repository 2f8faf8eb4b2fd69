package auth

import (
	"bufio"
	"bytes"
	"compress/gzip"
	_ "embed" // the list of common passwords
	"errors"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Length of a password in characters; maxPasswordBytes bounds what is read.
const (
	MinPassword      = 12
	AdvisedPassword  = 15
	MaxPassword      = 256
	maxPasswordBytes = 4 * MaxPassword
)

// Weak says why a password is not taken: one of the words below.
type Weak string

// Why a password is not taken.
const (
	WeakShort    Weak = "short"
	WeakLong     Weak = "long"
	WeakCommon   Weak = "common"
	WeakName     Weak = "name"
	WeakRepeated Weak = "repeats"
)

func (w Weak) Error() string {
	switch w {
	case WeakShort:
		return "the password is too short: want 12 characters or more, better 15; a few words in a row are easy to keep in mind"
	case WeakLong:
		return "the password is too long: want 256 characters or fewer"
	case WeakCommon:
		return "the password is one of those that are tried first; a few words that do not belong together are better"
	case WeakName:
		return "the password is made of the name of the account or of this product; want one that cannot be told from them"
	default:
		return "the password repeats a few characters, or runs along the keyboard; want one that does not"
	}
}

//go:embed common.txt.gz
var commonList []byte

// common reads the list once: passwords of breaches, sorted by nothing but
// their letters (NOTICE says where from).
var common = sync.OnceValue(func() map[string]bool {
	set := map[string]bool{}
	r, err := gzip.NewReader(bytes.NewReader(commonList))
	if err != nil {
		panic("auth: common.txt.gz: " + err.Error()) // embedded
	}
	in := bufio.NewScanner(r)
	for in.Scan() {
		set[in.Text()] = true
	}
	if in.Err() != nil || len(set) == 0 {
		panic("auth: common.txt.gz cannot be read") // embedded
	}
	return set
})

// CheckPassword says whether a password may be used; the error is a Weak. The
// names are of the account and of what it opens.
func CheckPassword(password string, names ...string) error {
	if len(password) > maxPasswordBytes {
		return WeakLong
	}
	password = sameText(password)
	switch n := utf8.RuneCountInString(password); {
	case n < MinPassword:
		return WeakShort
	case n > MaxPassword:
		return WeakLong
	}
	low := strings.ToLower(password)
	plain := unleet(low)
	for _, form := range []string{low, plain, letters(low), letters(plain), trimmed(low), trimmed(plain)} {
		if common()[form] {
			return WeakCommon
		}
	}
	if runs(low) {
		return WeakRepeated
	}
	if named(low, names) || named(plain, names) {
		return WeakName
	}
	return nil
}

// named says whether little is left of a password without the words of names.
func named(password string, names []string) bool {
	rest := password
	for _, n := range append(slices.Clone(names), "touchstone", "试金石") {
		for _, word := range strings.FieldsFunc(strings.ToLower(n), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			if utf8.RuneCountInString(word) >= 3 {
				rest = strings.ReplaceAll(rest, word, "")
			}
		}
	}
	return rest != password && utf8.RuneCountInString(rest) < MinPassword/2
}

// unleet undoes what people write for letters.
func unleet(s string) string {
	return strings.NewReplacer("0", "o", "1", "l", "3", "e", "4", "a", "5", "s", "7", "t", "@", "a", "$", "s", "!", "i").Replace(s)
}

// letters leaves out everything else: Summer-2024!! is summer.
func letters(s string) string {
	out := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return r
		}
		return -1
	}, s)
	if 2*utf8.RuneCountInString(out) < utf8.RuneCountInString(s) && utf8.RuneCountInString(out) < 5 {
		return "" // a few letters among digits are no word
	}
	return out
}

// trimmed takes digits and signs off both ends.
func trimmed(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return !unicode.IsLetter(r) })
}

// keyboard holds rows that fingers run along, both ways.
const keyboard = "abcdefghijklmnopqrstuvwxyz 01234567890 qwertyuiop asdfghjkl zxcvbnm qazwsxedcrfvtgbyhnujmikolp 1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p"

// runs says whether a password is four characters or fewer again and again, or
// mostly a run along the keyboard.
func runs(s string) bool {
	set := map[rune]bool{}
	for _, r := range s {
		set[r] = true
	}
	if len(set) <= 4 {
		return true
	}
	rows := keyboard + " " + reversed(keyboard)
	// Every character that goes on where the one before left off, or repeats it,
	// adds nothing.
	fresh, before := 0, ""
	for _, r := range s {
		now := string(r)
		if before == "" || before != now && !strings.Contains(rows, before+now) {
			fresh++
		}
		before = now
	}
	return fresh <= 4
}

func reversed(s string) string {
	r := []rune(s)
	for i, j := 0, len(r)-1; i < j; i, j = i+1, j-1 {
		r[i], r[j] = r[j], r[i]
	}
	return string(r)
}

// ErrLogin says what a login name looks like.
var ErrLogin = errors.New("a login name is 2 to 64 letters, digits and . _ - @, and begins with a letter or a digit")

// CheckLogin gives a login name as it is kept: in small letters.
func CheckLogin(login string) (string, error) {
	login = strings.ToLower(sameText(strings.TrimSpace(login)))
	n := 0
	for i, r := range login {
		sign := strings.ContainsRune("._-@", r)
		if i == 0 && sign || !sign && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return "", ErrLogin
		}
		n++
	}
	if n < 2 || n > 64 {
		return "", ErrLogin
	}
	return login, nil
}
