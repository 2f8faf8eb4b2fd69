package matching

import "encoding/json"

// MarshalJSON writes a part as all answers for programs have it: names in small
// letters, values where there are some, and the weight in bits.
func (p Part) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Field  string  `json:"field"`
		Level  string  `json:"level"`
		A      string  `json:"a,omitempty"`
		B      string  `json:"b,omitempty"`
		Weight float64 `json:"weight_bits"`
	}{p.Field, p.Level, p.A, p.B, float64(p.Weight) / 1000})
}
