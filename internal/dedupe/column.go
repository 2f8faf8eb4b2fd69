package dedupe

import (
	"math"
	"slices"
	"sync/atomic"
)

// Column is one column of a table. Its values lie one after the other in byte
// arenas and are named by codes; code 0 is "". A value that stands in several
// rows has one code, unless nearly all values of the column differ: then each
// row has its own.
type Column struct {
	Name   string
	codes  numbers // of each row
	texts  texts
	known  *dictionary // while reading; nil where values are not looked up
	disk   *disk       // for the texts of distinct values, where memory is short
	loose  bool        // a value may have several codes
	filled int
}

func newColumn(name string) *Column {
	c := &Column{Name: name, known: &dictionary{}}
	c.texts.add(nil)
	return c
}

// Text is the row's value, for rows that are asked for in their order.
func (c *Column) Text(row int) string { return c.texts.at(c.codes.at(row)) }

// At is Text for rows in any order: where the values are in a temporary file it
// keeps no others of them in memory.
func (c *Column) At(row int) string { return c.texts.one(c.codes.at(row)) }

// code is the row's code, and value what a code stands for.
func (c *Column) code(row int32) uint32 { return c.codes.at(int(row)) }

func (c *Column) value(code uint32) string { return c.texts.at(code) }

// values is how many codes there are.
func (c *Column) values() int { return c.texts.ends.len() }

// A column is taken for one of distinct values when of its first looseAfter
// values more than half are new: to look each up would then cost more than to
// keep the few that repeat.
const looseAfter = 8192

// set gives the row its value, and those passed over blank ones. It says how
// many bytes that took.
func (c *Column) set(row int, value []byte) int64 {
	codes, had := c.codes.wide, c.values()
	n := len(codes)
	for len(codes) < row {
		codes = append(codes, 0)
	}
	c.codes.wide = append(codes[:row], c.codeOf(value))
	cost := int64(4 * (len(c.codes.wide) - n))
	switch {
	case c.values() == had:
	case c.texts.disk != nil:
		cost += endCost
	default:
		cost += int64(len(value)) + valueCost
	}
	return cost
}

// toDisk puts the texts of a column of distinct values into a file, those that
// come too. It says what the column takes from now on.
func (c *Column) toDisk(d *disk) int64 {
	cost := int64(4 * c.codes.len())
	if c.disk = d; !c.loose {
		return cost + c.texts.size() + int64(valueCost*c.values())
	}
	c.texts.toDisk(d)
	return cost + int64(endCost*c.values())
}

// valueCost is what a value takes beside its text: where it ends, and its place
// in the dictionary.
const valueCost = 20

// endCost is what a value takes whose text is in a file.
const endCost = 4

func (c *Column) codeOf(value []byte) uint32 {
	if len(value) == 0 {
		return 0
	}
	if c.filled++; c.filled == looseAfter && 2*c.values() > looseAfter {
		c.known, c.loose = nil, true
	}
	if c.known == nil {
		if c.texts.disk == nil && c.disk != nil {
			c.texts.toDisk(c.disk)
		}
		return c.texts.add(value)
	}
	return c.known.code(&c.texts, value)
}

// finish gives the column all rows, and frees what only reading needed.
func (c *Column) finish(rows int) {
	c.codes.wide = append(c.codes.wide, make([]uint32, max(rows-len(c.codes.wide), 0))...)
	c.codes.pack()
	c.texts.close()
	c.texts.ends.pack()
	c.texts.tail = nil
	c.known = nil
}

// numbers grow as wide ones, and are packed into 16 bits where all fit when no more
// come: codes of countries and cities, and ends of short values.
type numbers struct {
	wide   []uint32
	narrow []uint16 // in place of wide; nil where one does not fit
}

func (n *numbers) len() int { return max(len(n.wide), len(n.narrow)) }

func (n *numbers) at(i int) uint32 {
	if n.narrow != nil {
		return uint32(n.narrow[i])
	}
	return n.wide[i]
}

// pack keeps no spare room.
func (n *numbers) pack() {
	if len(n.wide) == 0 || slices.Max(n.wide) > math.MaxUint16 {
		n.wide = exact(n.wide)
		return
	}
	narrow := make([]uint16, len(n.wide))
	for i, v := range n.wide {
		narrow[i] = uint16(v) //nolint:gosec // none is larger
	}
	n.wide, n.narrow = nil, narrow
}

// texts are values by code, a thousand to an arena: no string header each, and
// nothing for the garbage collector to follow but the arenas.
type texts struct {
	arenas []string
	ends   numbers // of each value, in its arena
	tail   []byte  // the arena that is being filled
	disk   *disk   // that holds the arenas; nil where they stand here
	places []int64 // of each arena on the disk
	near   *[nearArenas]atomic.Pointer[nearArena]
}

// nearArena is an arena that was read last: values are mostly asked for in their
// order.
type nearArena struct {
	number int
	text   string
}

const nearArenas = 8

// size is how many bytes the texts have.
func (t *texts) size() int64 {
	n := int64(0)
	for last := arenaMask; ; last += arenaMask + 1 {
		if last >= t.ends.len() {
			if values := t.ends.len(); values > 0 {
				n += int64(t.ends.at(values - 1))
			}
			return n
		}
		n += int64(t.ends.at(last))
	}
}

// toDisk puts the arenas there are on the disk, and those that come.
func (t *texts) toDisk(d *disk) {
	t.disk, t.near = d, new([nearArenas]atomic.Pointer[nearArena])
	for _, a := range t.arenas {
		t.places = append(t.places, d.add([]byte(a)))
	}
	clear(t.arenas)
}

// arena gives one, from the disk where it stands there.
func (t *texts) arena(k int) string {
	if t.disk == nil {
		return t.arenas[k]
	}
	slot := &t.near[k%nearArenas]
	if a := slot.Load(); a != nil && a.number == k {
		return a.text
	}
	b := make([]byte, t.ends.at(min(k<<arenaBits+arenaMask, t.ends.len()-1)))
	t.disk.read(t.places[k], b)
	a := &nearArena{k, string(b)}
	slot.Store(a)
	return a.text
}

// arenaBits: as many values to an arena that the longest records do not pass
// the 4 GiB that an end can name.
const (
	arenaBits = 10
	arenaMask = 1<<arenaBits - 1
)

func (t *texts) add(value []byte) uint32 {
	t.tail = append(t.tail, value...)
	t.ends.wide = append(t.ends.wide, uint32(len(t.tail)))
	if len(t.ends.wide)&arenaMask == 0 {
		t.close()
	}
	return uint32(len(t.ends.wide) - 1)
}

// close makes the values of the arena that is being filled readable by at.
func (t *texts) close() {
	if k := (t.ends.len() - 1) >> arenaBits; k == len(t.arenas) {
		if t.disk != nil {
			t.places = append(t.places, t.disk.add(t.tail))
			t.arenas = append(t.arenas, "")
		} else {
			t.arenas = append(t.arenas, string(t.tail))
		}
		t.tail = t.tail[:0]
	}
}

func (t *texts) span(code uint32) (from, to uint32) {
	if code&arenaMask != 0 {
		from = t.ends.at(int(code) - 1)
	}
	return from, t.ends.at(int(code))
}

func (t *texts) at(code uint32) string {
	from, to := t.span(code)
	if from == to {
		return ""
	}
	return t.arena(int(code >> arenaBits))[from:to]
}

// one is at for values that are asked for in no order: of an arena on the disk
// only the value is read.
func (t *texts) one(code uint32) string {
	from, to := t.span(code)
	k := int(code >> arenaBits)
	if t.disk == nil || from == to {
		return t.at(code)
	}
	if a := t.near[k%nearArenas].Load(); a != nil && a.number == k {
		return a.text[from:to]
	}
	b := make([]byte, to-from)
	t.disk.read(t.places[k]+int64(from), b)
	return string(b)
}

// is says whether the code stands for the value, also while reading.
func (t *texts) is(code uint32, value []byte) bool {
	from, to := t.span(code)
	if int(to-from) != len(value) {
		return false
	}
	if k := int(code >> arenaBits); k < len(t.arenas) {
		return t.arenas[k][from:to] == string(value)
	}
	return string(t.tail[from:to]) == string(value)
}

// dictionary finds the code of a value: open addressing, the upper half of an
// entry a part of the value's hash, the lower half its code. An entry of 0 is
// free: code 0 is never looked up.
type dictionary struct {
	entries []uint64
	used    int
}

// code gives the value its code, a new one where it has none.
func (d *dictionary) code(t *texts, value []byte) uint32 {
	if 4*(d.used+1) > 3*len(d.entries) {
		d.grow()
	}
	tag := uint32(hashBytes(value) >> 32)
	mask := uint32(len(d.entries) - 1)
	at := tag & mask
	for ; d.entries[at] != 0; at = (at + 1) & mask {
		if e := d.entries[at]; uint32(e>>32) == tag && t.is(uint32(e), value) {
			return uint32(e)
		}
	}
	code := t.add(value)
	d.entries[at] = uint64(tag)<<32 | uint64(code)
	d.used++
	return code
}

func (d *dictionary) grow() {
	old := d.entries
	d.entries = make([]uint64, max(2*len(old), 64))
	mask := uint32(len(d.entries) - 1)
	for _, e := range old {
		if e == 0 {
			continue
		}
		at := uint32(e>>32) & mask
		for d.entries[at] != 0 {
			at = (at + 1) & mask
		}
		d.entries[at] = e
	}
}
