package schema

import "encoding/json"

// Limits are what a schema says of the values at one place, as far as a repair
// can keep to it; zero for no limit.
type Limits struct {
	Enum      []string // the values that are allowed, as texts
	MaxLength int      // in characters
	MaxItems  int
}

// Limits gives those of a field as reasons name it: "status", "/phones/0/value".
func (s *Schema) Limits(field string) (l Limits) {
	node := s.place(Steps(field))
	list, _ := node["enum"].([]any)
	for _, v := range list {
		switch v := v.(type) {
		case string:
			l.Enum = append(l.Enum, v)
		case json.Number:
			l.Enum = append(l.Enum, v.String())
		}
	}
	l.MaxLength, l.MaxItems = whole(node["maxLength"]), whole(node["maxItems"])
	return l
}

func whole(v any) int {
	n, _ := v.(json.Number)
	i, err := n.Int64()
	if err != nil || i < 0 || i > 1<<30 {
		return 0
	}
	return int(i)
}
