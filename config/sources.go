package config

// sourceIndex finds the sources of a file by their names: there may be thousands
// of them, and as many places that name one.
type sourceIndex struct {
	names []string
	place map[string]int // in Config.Sources
	hints int            // given so far
}

// maxHints bounds the problems of a file that say which of its sources was meant.
const maxHints = 100

func (c Config) sourceIndex() *sourceIndex {
	x := &sourceIndex{names: make([]string, len(c.Sources)), place: make(map[string]int, len(c.Sources))}
	for i, s := range c.Sources {
		x.names[i], x.place[s.Name] = s.Name, i
	}
	return x
}

func (x *sourceIndex) has(name string) bool {
	_, ok := x.place[name]
	return ok
}

// hint is what hint says of a name that no source has, as long as there are few.
func (x *sourceIndex) hint(name string) string {
	if x.hints++; x.hints > maxHints {
		return ""
	}
	return hint(name, x.names)
}
