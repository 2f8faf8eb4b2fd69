package matching

import (
	"encoding/json"

	"touchstone/matching/weight"
)

// Figures are kept with their model, and were kept with weights in 1/1000 bit
// under other names: both are read, bits are written.

type plainFigures Figures

type figuresForm struct {
	*plainFigures
	Thousandths    *int32       `json:"prior_weight,omitempty"`
	OldThousandths *int32       `json:"old_prior_weight,omitempty"`
	Bits           weight.Milli `json:"prior_weight_bits"`
	OldBits        weight.Milli `json:"old_prior_weight_bits"`
}

// MarshalJSON writes the figures with weights in bits.
func (f Figures) MarshalJSON() ([]byte, error) {
	p := plainFigures(f)
	return json.Marshal(figuresForm{plainFigures: &p, Bits: weight.Milli(f.PriorWeight), OldBits: weight.Milli(f.OldPrior)})
}

// UnmarshalJSON reads what MarshalJSON writes, and the older form.
func (f *Figures) UnmarshalJSON(b []byte) error {
	x := figuresForm{plainFigures: (*plainFigures)(f)}
	if err := json.Unmarshal(b, &x); err != nil {
		return err
	}
	f.PriorWeight, f.OldPrior = either(x.Thousandths, x.Bits), either(x.OldThousandths, x.OldBits)
	return nil
}

func either(thousandths *int32, bits weight.Milli) int32 {
	if thousandths != nil {
		return *thousandths
	}
	return int32(bits)
}

type plainLevel LevelFigures

type levelForm struct {
	*plainLevel
	Thousandths    *int32       `json:"weight,omitempty"`
	OldThousandths *int32       `json:"old_weight,omitempty"`
	Bits           weight.Milli `json:"weight_bits"`
	OldBits        weight.Milli `json:"old_weight_bits"`
}

// MarshalJSON writes the figures with weights in bits.
func (l LevelFigures) MarshalJSON() ([]byte, error) {
	p := plainLevel(l)
	return json.Marshal(levelForm{plainLevel: &p, Bits: weight.Milli(l.Weight), OldBits: weight.Milli(l.Old)})
}

// UnmarshalJSON reads what MarshalJSON writes, and the older form.
func (l *LevelFigures) UnmarshalJSON(b []byte) error {
	x := levelForm{plainLevel: (*plainLevel)(l)}
	if err := json.Unmarshal(b, &x); err != nil {
		return err
	}
	l.Weight, l.Old = either(x.Thousandths, x.Bits), either(x.OldThousandths, x.OldBits)
	return nil
}
