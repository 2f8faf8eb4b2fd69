package eval

import (
	"encoding/json"

	"touchstone/matching/weight"
)

type plainReach Reach

type reachForm struct {
	*plainReach
	Thousandths *int32       `json:"threshold,omitempty"` // as it was kept before
	Bits        weight.Milli `json:"threshold_bits"`
}

// MarshalJSON writes the threshold in bits.
func (r Reach) MarshalJSON() ([]byte, error) {
	p := plainReach(r)
	return json.Marshal(reachForm{plainReach: &p, Bits: weight.Milli(r.Threshold)})
}

// UnmarshalJSON reads what MarshalJSON writes, and a threshold in 1/1000 bit.
func (r *Reach) UnmarshalJSON(b []byte) error {
	x := reachForm{plainReach: (*plainReach)(r)}
	if err := json.Unmarshal(b, &x); err != nil {
		return err
	}
	r.Threshold = int32(x.Bits)
	if x.Thousandths != nil {
		r.Threshold = *x.Thousandths
	}
	return nil
}
