package dedupe

// nearing reads, without use for them, the bytes that the next comparisons read.
// Units lie in memory in another order than they are compared in. A comparison
// that begins by waiting for its own bytes waits alone; of many reads that do not
// depend on one another the processor waits for a dozen at once. Features are only
// asked for, while those of the pairs before are compared: that waits for nothing.
type nearing struct {
	at    []uint64 // of pairs, where the features of the second unit lie
	asked int      // of those, how many were asked for
	last  int32    // first unit whose were
	row   []int32
	sum   uint32 // of what was read, so that reading is not left out
}

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

// fetchedAhead is how many pairs before its comparison the features of one are
// asked for: memory answers within the time that two or three take, and what is
// asked for stays in a core's first cache.
const fetchedAhead = 6

// begin finds where the features of pairs lie, and reads their codes.
func (n *nearing) begin(e *engine, pairs []candidate) {
	n.at, n.asked, n.last = n.at[:0], 0, -1
	if e.model != nil {
		for k := range pairs {
			n.at = append(n.at, e.forms.at[pairs[k].b])
		}
	}
	if e.packed == len(e.fields) {
		return
	}
	n.row = n.row[:0]
	last := int32(-1)
	for k := range pairs {
		if pairs[k].a != last {
			last = pairs[k].a
			n.row = append(n.row, e.u.first[last])
		}
		n.row = append(n.row, e.u.first[pairs[k].b])
	}
	for k := e.packed; k < len(e.fields); k++ {
		codes := &e.fields[k].column.codes
		for _, row := range n.row {
			n.sum += codes.at(int(row))
		}
	}
}

// upTo asks for the features of the pairs up to the k-th.
func (n *nearing) upTo(e *engine, pairs []candidate, k int) {
	for ; n.asked <= k && n.asked < len(n.at); n.asked++ {
		if a := pairs[n.asked].a; a != n.last {
			n.last = a
			n.form(e, e.forms.at[a])
		}
		n.form(e, n.at[n.asked])
	}
}

// form asks for features where they are in memory.
func (n *nearing) form(e *engine, place uint64) {
	k, from, size := formPlace(place)
	if arena := e.forms.arenas[k]; arena != nil && size > 0 {
		fetch(&arena[from], size)
	}
}
