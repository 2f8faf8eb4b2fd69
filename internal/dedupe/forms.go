package dedupe

import (
	"slices"

	"touchstone/matching"
)

// forms are the features of all units in their binary form, a chunk of rows to
// an arena: nothing of a unit's own for the garbage collector to follow.
type forms struct {
	arenas [][]byte // nil for one that is on the disk only
	at     []uint64 // by unit: arena, place and length
	disk   *disk    // that holds the arenas; nil where they stand here
	places []int64  // of each arena on the disk
	sizes  []uint32
}

// Bits of a place: a form is shorter than 64 KiB, and a chunk of them than
// 16 MiB.
const (
	formBits  = 16
	placeBits = 24
)

// of gives a unit's features, which are read where they lie.
func (f *forms) of(unit int) matching.Features {
	return matching.ViewTrusted(f.bytes(f.at[unit]))
}

// into is of with room to read into where the features are not in memory: they
// last until the room is used again.
func (f *forms) into(room *[]byte, unit int) matching.Features {
	p := f.at[unit]
	if f.here(p) {
		return matching.ViewTrusted(f.bytes(p))
	}
	k, from, n := formPlace(p)
	*room = f.read(*room, f.places[k]+int64(from), int(n))
	return matching.ViewTrusted(*room)
}

// here says whether the features of a place are in memory.
func (f *forms) here(p uint64) bool { return f.arenas[p>>(formBits+placeBits)] != nil }

// formPlace takes a place apart: arena, where in it, and length.
func formPlace(p uint64) (k, from, n uint64) {
	return p >> (formBits + placeBits), p >> formBits & (1<<placeBits - 1), p & (1<<formBits - 1)
}

func (f *forms) bytes(p uint64) []byte {
	k, from, n := formPlace(p)
	if a := f.arenas[k]; a != nil {
		return a[from : from+n]
	}
	return f.read(nil, f.places[k]+int64(from), int(n))
}

// read gives a piece of an arena from the disk, in the room there is. Of one that
// cannot be read nothing is looked at: an empty form is none.
func (f *forms) read(room []byte, at int64, n int) []byte {
	b := slices.Grow(room[:0], n)[:n]
	if f.disk.read(at, b); f.disk.err() != nil {
		return nil
	}
	return b
}

// arena gives all forms of a block of rows, in the room where they are on the
// disk.
func (f *forms) arena(block int, room *[]byte) []byte {
	if f.disk == nil {
		return f.arenas[block]
	}
	*room = f.read(*room, f.places[block], int(f.sizes[block]))
	return *room
}

func (f *forms) put(block int, b []byte) {
	if f.disk == nil {
		f.arenas[block] = exact(b)
		return
	}
	f.places[block], f.sizes[block] = f.disk.add(b), uint32(len(b))
}

// standardise makes the features of every unit, in the order of the rows: those
// lie beside one another in memory, the units do not.
func (e *engine) standardise() error {
	if e.model == nil {
		return nil
	}
	n := e.t.Rows()
	blocks := (n + chunk - 1) / chunk
	e.forms = forms{arenas: make([][]byte, blocks), at: make([]uint64, len(e.u.first)), disk: e.o.disk}
	if e.forms.disk != nil {
		e.forms.places, e.forms.sizes = make([]int64, blocks), make([]uint32, blocks)
	}
	type room struct {
		values matching.Values
		maker  matching.Standardiser
		bytes  []byte
	}
	r, rooms := e.recordReader(), make([]room, e.o.Workers)
	return e.o.parallelBy(1, blocks, "standardise", func(w, block int) {
		room := &rooms[w]
		room.bytes = room.bytes[:0]
		for row := block * chunk; row < min((block+1)*chunk, n); row++ {
			unit := e.u.of[row]
			if unit < 0 {
				continue
			}
			from := len(room.bytes)
			r.read(row, &room.values)
			room.bytes = room.maker.Append(room.bytes, e.entity, &room.values)
			if len(room.bytes)-from >= 1<<formBits { // no form is
				room.bytes = room.maker.Append(room.bytes[:from], e.entity, &matching.Values{})
			}
			e.forms.at[unit] = uint64(block)<<(formBits+placeBits) | uint64(from)<<formBits | uint64(len(room.bytes)-from)
		}
		e.forms.put(block, room.bytes)
	})
}

// placedUnit is a unit where it lies: its first row, and its features where there
// is a model.
type placedUnit struct {
	unit     int
	row      int32
	features matching.Features
}

// eachUnit gives the units in the order of their rows: as values and forms lie in
// memory.
func (e *engine) eachUnit(stage string, do func(w int, u *placedUnit)) error {
	n, rooms := e.t.Rows(), make([][]byte, e.o.Workers)
	return e.o.parallelBy(1, (n+chunk-1)/chunk, stage, func(w, block int) {
		e.unitsOf(block, &rooms[w], func(u *placedUnit) { do(w, u) })
	})
}

// unitsOf gives those of a block of rows, whose features last until the room is
// used again.
func (e *engine) unitsOf(block int, room *[]byte, do func(u *placedUnit)) {
	var others []byte
	if e.model != nil {
		if others = e.forms.arena(block, room); e.o.disk.err() != nil {
			return
		}
	}
	var u placedUnit
	for row := block * chunk; row < min((block+1)*chunk, len(e.u.of)); row++ {
		unit := e.u.of[row]
		if unit < 0 {
			continue
		}
		u.unit, u.row = int(unit), int32(row)
		if e.model != nil {
			u.features, others = matching.FirstTrusted(others)
		}
		do(&u)
	}
}
