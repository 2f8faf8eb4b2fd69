package dedupe

import (
	"math"
	"unsafe"
)

// rarity knows how often each value of a field stands in the table: an exact
// agreement on a rare one says more.
type rarity struct {
	value     []uint32 // of each unit, the number of its value; 0 for none
	adjust    []int32  // by number, 1/1000 bit
	most      int32    // of adjust
	agreement float64  // the chance that two rows' values are equal
}

// rareLimit bounds how much the rarity of one value adds or takes: 8 bits.
const rareLimit = 8000

// frequencies counts the values of a field, given by hash, 0 for none.
//
// What an exact agreement on a value weighs more than one on any value is log2
// of the field's chance of agreement over the value's own share, as Splink has
// it: "Term-frequency adjustments" (moj-analytical-services/splink,
// docs/topic_guides/comparisons/term-frequency.md).
func (e *engine) frequencies(of func(u *placedUnit) uint64) *rarity {
	r := &rarity{value: make([]uint32, len(e.u.first))}
	numbers, count, total := numbering{}, []int64{0}, int64(0)
	var found [chunk]struct {
		hash       uint64
		unit, rows int32
	}
	var room []byte
	for block := range (e.t.Rows() + chunk - 1) / chunk { // in steps: their reads do not wait for one another
		n := 0
		e.unitsOf(block, &room, func(u *placedUnit) {
			if h := of(u); h != 0 {
				found[n].hash, found[n].unit = h, int32(u.unit)
				n++
			}
		})
		for k := range found[:n] {
			f := &found[k]
			f.rows = e.u.starts[f.unit+1] - e.u.starts[f.unit]
		}
		for k := range found[:n] {
			f := &found[k]
			v := numbers.of(f.hash)
			if int(v) == len(count) {
				count = append(count, 0)
			}
			r.value[f.unit] = v
			count[v] += int64(f.rows)
			total += int64(f.rows)
		}
	}
	if total > 1 {
		pairs := 0.0 // whole numbers up to 2^53: no order of theirs changes the sum
		for _, n := range count {
			pairs += float64(n) * float64(n-1)
		}
		r.agreement = pairs / (float64(total) * float64(total-1))
	}
	r.adjust = make([]int32, len(count))
	for i, n := range count {
		if n > 0 && r.agreement > 0 {
			w := 1000 * math.Log2(r.agreement*float64(total)/float64(n))
			r.adjust[i] = int32(math.Round(max(-rareLimit, min(rareLimit, w))))
			r.most = max(r.most, r.adjust[i])
		}
	}
	return r
}

// of is what two units' agreement on the value itself adds.
func (r *rarity) of(i, j int) int32 {
	if v := r.value[i]; v == r.value[j] {
		return r.adjust[v]
	}
	return 0
}

// meant takes the rarity from what an agreement means by judgement, a weight, where
// agreements are rarer here than it takes them for: where nothing was learnt, a
// value that two rows alone have is no common one, only because most stand once.
func (r *rarity) meant(weight int32) {
	if r.agreement <= 0 {
		return
	}
	more := int32(math.Round(-float64(weight) - 1000*math.Log2(r.agreement)))
	if more <= 0 {
		return
	}
	r.most = 0
	for i, a := range r.adjust {
		if a > -rareLimit {
			r.adjust[i] = min(rareLimit, a+more)
		}
		r.most = max(r.most, r.adjust[i])
	}
}

// addRarity lets an exact agreement on a rare name weigh more.
func (e *engine) addRarity(m Meaning, field string) {
	i := e.fieldIndex(field)
	if i < 0 || e.fields[i].rare != nil {
		return
	}
	switch m {
	case Given, Family, Employer, OrgName:
	default:
		return
	}
	e.fields[i].rare = e.frequencies(func(u *placedUnit) uint64 { return u.features.ValueHash(i) })
	e.fields[i].exact = 1
}

// adjust is what the rarity of the agreeing values adds.
func (e *engine) adjust(i, j int, levels []uint8) int32 {
	sum := int32(0)
	for k := range e.rares {
		if f := &e.rares[k]; f.counts(levels[f.field]) {
			sum += f.of(i, j)
		}
	}
	return sum
}

// adjustSoon asks for what adjust reads of a pair's second unit, and does not wait.
func (e *engine) adjustSoon(j int) {
	for k := range e.rares {
		fetch((*byte)(unsafe.Pointer(&e.rares[k].value[j])), 1) //nolint:gosec // nothing is read through it
	}
}

// adjustedAhead is how many pairs before its adjustment that of one is asked for.
const adjustedAhead = 16

// rareField is a field whose exact agreements are adjusted.
type rareField struct {
	*rarity
	field int
	exact uint8
}

// counts says whether a level is an exact agreement.
func (f *rareField) counts(level uint8) bool { return level-1 < f.exact } // 0, none, is above all

// findRare finds them among all fields.
func (e *engine) findRare() {
	e.rares = e.rares[:0]
	for k := range e.fields {
		if f := &e.fields[k]; f.rare != nil {
			e.rares = append(e.rares, rareField{f.rare, k, f.exact})
		}
	}
}

// mostRarity is the most that it can add to a pair of these levels.
func (e *engine) mostRarity(levels []uint8) int32 {
	sum := int32(0)
	for k := range e.rares {
		if f := &e.rares[k]; f.counts(levels[f.field]) {
			sum += f.most
		}
	}
	return sum
}

// rarityOf is one field's share of it.
func (e *engine) rarityOf(k, i, j int, level uint8) int32 {
	for x := range e.rares {
		if f := &e.rares[x]; f.field == k && f.counts(level) {
			return f.of(i, j)
		}
	}
	return 0
}
