// Package worth says what a person's decision on a pair of customers is worth:
// the loss that is expected as long as nobody decides. Everything is whole
// numbers, so that the same facts give the same order everywhere.
package worth

import (
	"math/bits"
	"strconv"
	"strings"
)

const (
	// Certain is a probability of 1: probabilities are counted in millionths.
	Certain = 1_000_000
	// Whole is a share of 1: shares and rates are counted in millionths too.
	Whole = 1_000_000
	// Unit is one unit of the base currency: amounts are counted in hundredths.
	Unit = 100
	// Most bounds an amount, so that sums of a few stay in 64 bits.
	Most = 1 << 60
)

// Losses say what a wrong state costs.
type Losses struct {
	Apart  int64 // share of the value that is lost while one customer stands as two
	System int64 // for each system that shows it
	Wrong  int64 // how many times as much is lost while two customers stand as one, in millionths
}

// Damage is what deciding a pair takes off the expected loss.
//
// Nobody knows whether the two are one customer; p is the probability. Leaving
// them apart is expected to lose p·L, merging them (1−p)·W·L, and who has to act
// without asking takes the smaller. Whoever asks a person acts rightly and loses
// neither, so the answer is worth
//
//	min(p·L, (1−p)·W·L),   L = value·Apart + systems·System
//
// This is the expected value of perfect information for a choice of two acts
// (R. A. Howard, Information Value Theory, IEEE Transactions on Systems Science
// and Cybernetics 2, 1966; H. Raiffa and R. Schlaifer, Applied Statistical
// Decision Theory, 1961, chapter 4). It is 0 where p is 0 or 1, and largest where
// the two meet, at p = W/(1+W): of a pair at the threshold from which merging
// without asking is right.
//
// Chance is p in millionths, value the amount of both customers in hundredths
// of the base currency, systems how many hold either.
func Damage(chance, value int64, systems int, l Losses) int64 {
	chance = min(max(chance, 0), Certain)
	loss := l.OfApart(value, systems)
	return min(scaled(loss, chance, Certain), scaled(scaled(loss, l.Wrong, Whole), Certain-chance, Certain))
}

// OfApart is what one customer costs that stands as two.
func (l Losses) OfApart(value int64, systems int) int64 {
	return Sum(scaled(value, l.Apart, Whole), scaled(l.System, int64(systems), 1))
}

// Sum adds amounts, none of which is negative, and stays within bounds.
func Sum(amounts ...int64) (sum int64) {
	for _, a := range amounts {
		sum = min(sum+min(max(a, 0), Most), Most)
	}
	return sum
}

// scaled is x·by/of, rounded down and within bounds.
func scaled(x, by, of int64) int64 {
	hi, lo := bits.Mul64(uint64(max(x, 0)), uint64(max(by, 0)))
	if hi >= uint64(of) {
		return Most
	}
	q, _ := bits.Div64(hi, lo, uint64(of))
	return int64(min(q, Most))
}

// Amount reads a decimal number and gives it in hundredths of the base
// currency, one unit being worth rate millionths of one; digits behind the
// eighth place are cut. False is for what is no number.
func Amount(decimal string, rate int64) (int64, bool) {
	text, negative := strings.CutPrefix(strings.TrimSpace(decimal), "-")
	whole, part, _ := strings.Cut(text, ".")
	if whole == "" && part == "" || strings.Trim(whole+part, "0123456789") != "" {
		return 0, false
	}
	if whole = strings.TrimLeft(whole, "0"); len(whole) > 18 {
		whole = "999999999999999999"
	}
	part = (part + "00000000")[:8]
	n, _ := strconv.ParseInt("0"+whole, 10, 64) // digits, within bounds
	f, _ := strconv.ParseInt(part, 10, 64)
	got := Sum(scaled(scaled(n, Unit, 1), rate, Whole), scaled(f, rate*Unit, Whole*100_000_000))
	if negative {
		got = -got
	}
	return got, true
}
