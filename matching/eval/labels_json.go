package eval

import "encoding/json"

// UnmarshalJSON reads a threshold in bits, and in 1/1000 bit as it was kept before.
func (r *Reach) UnmarshalJSON(b []byte) error {
	type plain Reach
	return json.Unmarshal(b, &struct {
		*plain
		Threshold *int32 `json:"threshold"`
	}{(*plain)(r), (*int32)(&r.Threshold)})
}
