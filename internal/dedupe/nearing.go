package dedupe

// nearing reads, without use for them, the bytes that the next comparisons read.
// Units lie in memory in another order than they are compared in. A comparison
// that begins by waiting for its own bytes waits alone; of many reads that do not
// depend on one another the processor waits for a dozen at once.
type nearing struct {
	unit []int32
	at   []uint64
	row  []int32
	sum  uint32 // of what was read, so that reading is not left out
}

// cacheLine is how many bytes come from memory together.
const cacheLine = 64

// lists reads the beginnings of lists of units.
func (n *nearing) lists(x *index, lists []uint32) {
	for _, k := range lists {
		n.sum += x.lists[k].from
	}
	for _, k := range lists {
		l := &x.lists[k]
		n.sum += uint32(x.units[l.part][l.from])
	}
}

// forms reads the features and codes of the units of pairs.
func (n *nearing) forms(e *engine, pairs []candidate) {
	n.unit = n.unit[:0]
	last := int32(-1)
	for k := range pairs {
		if pairs[k].a != last {
			last = pairs[k].a
			n.unit = append(n.unit, last)
		}
		n.unit = append(n.unit, pairs[k].b)
	}
	if e.model != nil {
		n.at = n.at[:0]
		for _, u := range n.unit {
			n.at = append(n.at, e.forms.at[u])
		}
		for _, p := range n.at {
			k, from, size := formPlace(p)
			arena := e.forms.arenas[k]
			if arena == nil { // on the disk
				continue
			}
			form := arena[from : from+size]
			for i := 0; i < len(form); i += cacheLine {
				n.sum += uint32(form[i])
			}
			n.sum += uint32(form[len(form)-1])
		}
	}
	if e.packed == len(e.fields) {
		return
	}
	n.row = n.row[:0]
	for _, u := range n.unit {
		n.row = append(n.row, e.u.first[u])
	}
	for k := e.packed; k < len(e.fields); k++ {
		codes := e.fields[k].column.codes
		for _, row := range n.row {
			n.sum += codes[row]
		}
	}
}
