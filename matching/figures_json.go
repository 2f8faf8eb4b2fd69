package matching

import "encoding/json"

// Figures are kept with their model, and were kept with weights in 1/1000 bit
// under other names: both are read, bits are written.

// UnmarshalJSON reads figures with weights in bits, and the older form.
func (f *Figures) UnmarshalJSON(b []byte) error {
	type plain Figures
	return json.Unmarshal(b, &struct {
		*plain
		Prior *int32 `json:"prior_weight"`
		Old   *int32 `json:"old_prior_weight"`
	}{(*plain)(f), (*int32)(&f.PriorWeight), (*int32)(&f.OldPrior)})
}

// UnmarshalJSON reads figures with weights in bits, and the older form.
func (l *LevelFigures) UnmarshalJSON(b []byte) error {
	type plain LevelFigures
	return json.Unmarshal(b, &struct {
		*plain
		Weight *int32 `json:"weight"`
		Old    *int32 `json:"old_weight"`
	}{(*plain)(l), (*int32)(&l.Weight), (*int32)(&l.Old)})
}
