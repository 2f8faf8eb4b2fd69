package simulator

import (
	"fmt"
	"strconv"
	"strings"
)

// leiIssuer is the prefix of the made-up issuer of all our LEIs: four digits
// that no real issuer has, and the two reserved zeros.
const leiIssuer = "999900"

// LEI makes the n-th (0 or more) made-up Legal Entity Identifier: 18 characters and two
// check digits (ISO 17442, by ISO/IEC 7064 MOD 97-10).
func LEI(n int) string {
	own := strings.ToUpper(strconv.FormatInt(int64(n), 36))
	body := leiIssuer + strings.Repeat("0", 12-len(own)) + own
	return body + fmt.Sprintf("%02d", 98-mod97(body+"00"))
}

// ValidLEI says whether s has the form of an LEI and good check digits.
func ValidLEI(s string) bool {
	if len(s) != 20 || strings.Trim(s, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return false
	}
	return strings.Trim(s[18:], "0123456789") == "" && mod97(s) == 1
}

// mod97 reads letters as 10 to 35 and gives the remainder of the whole number.
func mod97(s string) int {
	rest := 0
	for _, r := range s {
		if r >= 'A' {
			rest = (rest*100 + int(r-'A') + 10) % 97
		} else {
			rest = (rest*10 + int(r-'0')) % 97
		}
	}
	return rest
}
