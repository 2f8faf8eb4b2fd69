package dedupe

// Features in a temporary file are wanted in the order of the pairs, which is no
// order of theirs: one by one that is two calls of the system a pair. So the rows
// are parted in sections, of which two fit the memory. Every two of them are read
// whole, one after the other, and all their pairs compared meanwhile.
type sections struct {
	of     []uint8 // by unit, the section that its features stand in
	blocks int     // of rows, in each
	n      int
}

// both are the two sections whose features are in memory.
type both struct {
	of   []uint8
	a, b uint8
}

// other is the section that the partners of a unit are in; not ok where none of
// its pairs is to be looked at now.
func (t *both) other(unit int) (s uint8, ok bool) {
	switch t.of[unit] {
	case t.a:
		return t.b, true
	case t.b:
		return t.a, true
	}
	return 0, false
}

// sectionsCost is what two sections take in memory for each row, of diskRowCost.
// Then come as many as one byte numbers, however large the features are.
const (
	sectionsCost = 48
	maxSections  = 256
)

func (e *engine) sections() *sections {
	blocks := len(e.forms.sizes)
	n := min(max((2*e.forms.size(0, blocks)-1)/(sectionsCost*e.t.Rows())+1, 1), maxSections, blocks)
	s := &sections{of: make([]uint8, len(e.u.first)), blocks: (blocks + n - 1) / n}
	s.n = (blocks + s.blocks - 1) / s.blocks
	for unit, p := range e.forms.at {
		k, _, _ := formPlace(p)
		s.of[unit] = uint8(int(k) / s.blocks) //nolint:gosec // at most maxSections
	}
	return s
}

// bySections calls step for every two sections of features that are on the disk,
// and for each with itself, while both are in memory.
func (e *engine) bySections(stage string, step func(now *both) error) error {
	s := e.sections()
	most := 0
	for a := range s.n {
		most = max(most, e.forms.size(a*s.blocks, (a+1)*s.blocks))
	}
	rooms := [2][]byte{make([]byte, most)}
	if s.n > 1 {
		rooms[1] = make([]byte, most)
	}
	defer e.forms.leave(0, len(e.forms.sizes))
	for a := range s.n {
		if err := e.bring(s, a, rooms[0], stage); err != nil {
			return err
		}
		for b := a; b < s.n; b++ {
			if b > a {
				if err := e.bring(s, b, rooms[1], stage); err != nil {
					return err
				}
			}
			if err := step(&both{s.of, uint8(a), uint8(b)}); err != nil {
				return err
			}
			if b > a {
				e.forms.leave(b*s.blocks, (b+1)*s.blocks)
			}
		}
		e.forms.leave(a*s.blocks, (a+1)*s.blocks)
	}
	return nil
}

// bring reads a section into the room there is.
func (e *engine) bring(s *sections, section int, room []byte, stage string) error {
	f := &e.forms
	from, to := section*s.blocks, min((section+1)*s.blocks, len(f.sizes))
	for k := from; k < to; k++ {
		n := int(f.sizes[k])
		f.arenas[k], room = room[:n:n], room[n:]
	}
	return e.o.parallelBy(1, to-from, stage, func(_, k int) {
		f.disk.read(f.places[from+k], f.arenas[from+k])
	})
}

// size is how many bytes the blocks from … to have on the disk.
func (f *forms) size(from, to int) (total int) {
	for _, n := range f.sizes[from:min(to, len(f.sizes))] {
		total += int(n)
	}
	return total
}

// leave takes the blocks from … to for no longer in memory.
func (f *forms) leave(from, to int) { clear(f.arenas[from:min(to, len(f.arenas))]) }
