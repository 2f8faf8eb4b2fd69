package golden

import (
	"cmp"
	"math/big"
	"strings"

	"touchstone/internal/record"
)

// decimal is a decimal number of any size: 0.digits × 10^at. It is compared as
// it stands, so that 1e10000000 needs no more room than its text.
type decimal struct {
	sign   int    // -1, 0, 1
	digits string // without zeros at either end
	at     *big.Int
}

// decimalOf reads a JSON number, with or without zeros before it.
func decimalOf(s string) (d decimal, ok bool) {
	mantissa, exponent := s, "0"
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		mantissa, exponent = s[:i], s[i+1:]
	}
	if len(exponent) > mostExponent {
		return d, false
	}
	mantissa, negative := strings.CutPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole + fraction
	if whole == "" || strings.Trim(digits, "0123456789") != "" {
		return d, false
	}
	if d.at, ok = new(big.Int).SetString(exponent, 10); !ok {
		return d, false
	}
	bare := strings.TrimLeft(digits, "0")
	d.at.Add(d.at, big.NewInt(int64(len(whole)-(len(digits)-len(bare)))))
	d.digits = strings.TrimRight(bare, "0")
	switch {
	case d.digits == "":
		d.sign = 0
	case negative:
		d.sign = -1
	default:
		d.sign = 1
	}
	return d, true
}

// mostExponent bounds an exponent's digits: longer ones say nothing.
const mostExponent = 400

func (d decimal) compare(o decimal) int {
	if d.sign != o.sign || d.sign == 0 {
		return cmp.Compare(d.sign, o.sign)
	}
	return d.sign * cmp.Or(d.at.Cmp(o.at), strings.Compare(d.digits, o.digits))
}

// less orders numbers by value, also those that a table gives as text; they
// come before everything else, which goes by its text. Dates are written so
// that their text order is their time order.
func less(a, b record.Value) bool {
	x, isX := numberOf(a)
	y, isY := numberOf(b)
	switch {
	case isX && isY:
		return x.compare(y) < 0
	case isX != isY:
		return isX
	}
	return a.Text < b.Text
}

func numberOf(v record.Value) (decimal, bool) {
	if v.Kind != record.Number && v.Kind != record.Text {
		return decimal{}, false
	}
	return decimalOf(v.Text)
}
