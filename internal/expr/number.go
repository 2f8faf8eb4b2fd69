package expr

import (
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// number is a number on its way through an operator: an int64 when it is one,
// else its decimal text.
type number struct {
	i     int64
	text  string // decimal text when it is not an int64
	isInt bool
}

// maxDigits bounds what a decimal may cost: the digits and the exponent of a
// number that takes part in arithmetic or in a comparison.
const maxDigits = 400

// toNumber reads a number of a record or of the expression; ok is false for
// anything else.
func toNumber(v any) (n number, ok bool) {
	switch v := v.(type) {
	case json.Number:
		return parseNumber(v.String())
	case int:
		return number{i: int64(v), isInt: true}, true
	case int64:
		return number{i: v, isInt: true}, true
	case int32:
		return number{i: int64(v), isInt: true}, true
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return number{}, false
		}
		return parseNumber(strconv.FormatFloat(v, 'g', -1, 64))
	case float32:
		return toNumber(float64(v))
	}
	return number{}, false
}

func parseNumber(s string) (number, bool) {
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return number{i: i, isInt: true}, true
	}
	return number{text: s}, s != ""
}

// rat gives the exact value, or an error for a number nobody should calculate
// with: 1e10000000 would fill the memory.
func (n number) rat() (*big.Rat, error) {
	if n.isInt {
		return new(big.Rat).SetInt64(n.i), nil
	}
	mantissa, exponent, _ := strings.Cut(strings.ToLower(n.text), "e")
	e := 0
	if exponent != "" {
		var err error
		if e, err = strconv.Atoi(exponent); err != nil {
			return nil, opErrorf("the number is too large or too small to calculate with")
		}
	}
	if len(mantissa) > maxDigits || e > maxDigits || e < -maxDigits {
		return nil, opErrorf("the number is too large or too small to calculate with")
	}
	r, ok := new(big.Rat).SetString(n.text)
	if !ok {
		return nil, opErrorf("not a number")
	}
	return r, nil
}

func compareNumbers(a, b number) (int, error) {
	if a.isInt && b.isInt {
		switch {
		case a.i < b.i:
			return -1, nil
		case a.i > b.i:
			return 1, nil
		}
		return 0, nil
	}
	if !a.isInt && !b.isInt && a.text == b.text {
		return 0, nil
	}
	x, err := a.rat()
	if err != nil {
		return 0, err
	}
	y, err := b.rat()
	if err != nil {
		return 0, err
	}
	return x.Cmp(y), nil
}

// arithmetic works + - * out exactly, in decimals: 0.1 + 0.2 is 0.3. Division
// and powers are float64 unless they come out even.
func arithmetic(op string, a, b number) (any, error) {
	x, err := a.rat()
	if err != nil {
		return nil, err
	}
	y, err := b.rat()
	if err != nil {
		return nil, err
	}
	z := new(big.Rat)
	switch op {
	case "+":
		z.Add(x, y)
	case "-":
		z.Sub(x, y)
	case "*":
		z.Mul(x, y)
	case "/":
		if y.Sign() == 0 {
			return nil, opErrorf("division by zero")
		}
		z.Quo(x, y)
	case "%":
		if !a.isInt || !b.isInt {
			return nil, opErrorf("%% needs whole numbers")
		}
		if b.i == 0 {
			return nil, opErrorf("division by zero")
		}
		if b.i == -1 {
			return int64(0), nil // the one case where the machine's division overflows
		}
		return a.i % b.i, nil
	default: // power
		f, g := mustFloat(x), mustFloat(y)
		p := math.Pow(f, g)
		if math.IsInf(p, 0) || math.IsNaN(p) {
			return nil, opErrorf("the power is not a number that can be written")
		}
		if p == math.Trunc(p) && math.Abs(p) < 1<<53 {
			return int64(p), nil
		}
		return p, nil
	}
	return fromRat(z), nil
}

func mustFloat(r *big.Rat) float64 { f, _ := r.Float64(); return f }

// fromRat gives int64 for a whole number that fits, decimal text for one that
// ends, and float64 for the rest (1/3).
func fromRat(r *big.Rat) any {
	if r.IsInt() {
		if r.Num().IsInt64() {
			return r.Num().Int64()
		}
		return json.Number(r.Num().String())
	}
	if digits, exact := r.FloatPrec(); exact && digits <= maxDigits {
		return json.Number(r.FloatString(digits))
	}
	return mustFloat(r)
}

// numberText is a number as people write it.
func numberText(v any) (string, bool) {
	switch v := v.(type) {
	case json.Number:
		return v.String(), true
	case int:
		return strconv.Itoa(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case int32:
		return strconv.FormatInt(int64(v), 10), true
	case float64:
		format := byte('f')
		if a := math.Abs(v); a >= 1e21 || a != 0 && a < 1e-6 {
			format = 'e'
		}
		return strconv.FormatFloat(v, format, -1, 64), true
	case float32:
		return numberText(float64(v))
	}
	return "", false
}
