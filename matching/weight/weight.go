// Package weight is how the weights of evidence are written for people and
// programs.
package weight

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// Milli is a weight in 1/1000 bit, as it is counted: integers sum to the same
// in any order. Its JSON is in bits, with at most three decimals.
type Milli int32

// MarshalJSON writes bits: 7213 is 7.213.
func (m Milli) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, m.Bits(), 'f', -1, 64), nil
}

// UnmarshalJSON reads bits, to the nearest thousandth.
func (m *Milli) UnmarshalJSON(b []byte) error {
	var bits float64
	if err := json.Unmarshal(b, &bits); err != nil {
		return fmt.Errorf("weight: %w", err)
	}
	if n := math.Round(bits * 1000); n >= math.MinInt32 && n <= math.MaxInt32 {
		*m = Milli(n)
		return nil
	}
	return fmt.Errorf("weight: %s bits is none", b)
}

// Bits is the weight in bits.
func (m Milli) Bits() float64 { return float64(m) / 1000 }
