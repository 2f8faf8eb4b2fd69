package dedupe

import (
	"cmp"
	"math/bits"
	"slices"
	"strconv"
	"sync/atomic"

	"touchstone/matching"
	"touchstone/matching/block"
)

// allPairs is up to how many pairs a table is compared pair by pair, keys or
// not: some 1,400 rows.
const allPairs = 1_000_000

// Capped says what a rule's caps left out.
type Capped struct {
	Rule  string `json:"rule"`
	Keys  int    `json:"keys"`
	Pairs int64  `json:"pairs"` // that share such a key, other keys of theirs not looked at
}

func (c Capped) String() string {
	return c.Rule + ": " + strconv.Itoa(c.Keys) + " values shared by too many rows"
}

// index holds the lists of units that share a key.
type index struct {
	rules   []rule
	units   [][]int32 // by part, of all its lists, one after the other
	lists   []list
	of      []uint32 // by unit, where its lists begin in listsOf
	listsOf []uint32
	capped  []Capped
	plan    *Plan
}

// list is where a list of units begins, and in which part; it ends where the
// next of the part begins. Lists are chosen by group.
type list struct {
	from  uint32
	group group
	part  uint16
}

func (x *index) list(k int) []int32 {
	l := &x.lists[k]
	units := x.units[l.part]
	if k+1 < len(x.lists) && x.lists[k+1].part == l.part {
		return units[l.from:x.lists[k+1].from]
	}
	return units[l.from:]
}

// group is a rule with a kind of its lists: those of its keys by size, those of
// its finer keys, and windows.
type group uint16

const (
	kindBits  = 5
	kindFine  = 7  // + how long the list was that it is a part of, 0 to 4
	kindFine2 = 12 // the same, of more than spillFrom units
	kindNear  = 17
)

func groupOf(rule uint8, kind int) group { return group(rule)<<kindBits | group(kind) }
func (g group) rule() uint8              { return uint8(g >> kindBits) }
func (g group) kind() int                { return int(g & (1<<kindBits - 1)) }

// sizeClass is 0 for 2, 1 for up to 4, 2 for up to 8 …
func sizeClass(n int) int { return bits.Len(uint(n-1)) - 1 }

// spillFrom: lists of more units than this also stand in parts, by the finer
// key, so that the planner may leave the whole out.
const (
	spillFrom  = 8
	spillClass = 3 // of the next longer lists
	overClass  = 7 // of lists over the cap
)

// index makes the lists.
func (e *engine) index() (*index, error) {
	n := len(e.u.first)
	if e.possible() <= allPairs {
		x := &index{rules: []rule{{name: "all"}}, lists: make([]list, 1), units: [][]int32{make([]int32, n)}}
		for i := range n {
			x.units[0][i] = int32(i)
		}
		x.of, x.listsOf = x.byUnit(n, nil)
		return x, nil
	}
	b := &blocker{e: e, keys: newKeyMaker(e), n: n}
	b.x.rules = b.keys.rules
	b.lost = make([]Capped, len(b.x.rules))
	if err := b.coarse(); err != nil {
		return nil, err
	}
	e.o.collect(n)
	if err := b.fine(); err != nil {
		return nil, err
	}
	b.windows()
	for i, c := range b.lost {
		if c.Keys > 0 {
			c.Rule = b.x.rules[i].name
			b.x.capped = append(b.x.capped, c)
		}
	}
	if err := b.x.planned(e); err != nil {
		return nil, err
	}
	e.o.collect(n)
	b.x.of, b.x.listsOf = b.x.byUnit(n, nil)
	return &b.x, nil
}

// blocker builds the lists.
type blocker struct {
	e       *engine
	keys    *keyMaker
	n       int
	x       index
	bits    int
	spilled spills
	spills  []atomic.Uint32 // by unit, the rules (block.RuleSet) by which it stands in lists that are spilled
	long    []longList
	lost    []Capped
}

// All rules of a model have a bit in spills.
const _ = uint32(block.AllRules)

// longList is a list that is too long even for its finer key.
type longList struct {
	rule  uint8
	units []int32
}

// found is what one partition holds.
type found struct {
	units   []int32
	lists   []list
	spilled []uint64
	long    []longList
	lost    []Capped // by rule
}

func (f *found) add(run []posting, g group) {
	f.lists = append(f.lists, list{from: uint32(len(f.units)), group: g})
	for _, p := range run {
		f.units = append(f.units, unitOf(p))
	}
}

// collect makes the postings of all units; each appends the keys of a unit.
func (b *blocker) collect(stage string, width int, each func(w int, u *placedUnit, to *postings)) ([]*postings, error) {
	b.bits = partitionBits(b.n * width)
	all := make([]*postings, b.e.o.Workers)
	for w := range all {
		all[w] = newPostings(b.bits, &b.e.o)
	}
	return all, b.e.eachUnit(stage, func(w int, u *placedUnit) { each(w, u, all[w]) })
}

// partitions takes the postings apart and puts what it finds into the index.
func (b *blocker) partitions(all []*postings, stage string, run func(f *found, part int, key uint32, run []posting)) error {
	parts := make([]found, 1<<b.bits)
	type room struct {
		a, b []posting
		f    found
	}
	rooms := make([]room, b.e.o.Workers)
	err := b.e.o.parallelBy(1, len(parts), stage, func(w, k int) {
		r := &rooms[w]
		r.a, r.b = gathered(all, k, r.a, r.b)
		r.f = found{units: r.f.units[:0], lists: r.f.lists[:0], lost: make([]Capped, len(b.x.rules))}
		eachRun(r.a, func(key uint32, list []posting) { run(&r.f, k, key, list) })
		parts[k] = r.f
		parts[k].units, parts[k].lists = exact(r.f.units), exact(r.f.lists)
	})
	if err != nil {
		return err
	}
	lists := len(b.x.lists)
	for k := range parts {
		lists += len(parts[k].lists)
	}
	b.x.lists = slices.Grow(b.x.lists, lists-len(b.x.lists))
	for k := range parts {
		f := &parts[k]
		b.x.addPart(f.units, f.lists)
		for _, s := range f.spilled {
			b.spilled.add(s)
		}
		b.long = append(b.long, f.long...)
		for r, c := range f.lost {
			b.lost[r].Keys += c.Keys
			b.lost[r].Pairs += c.Pairs
		}
		parts[k] = found{}
	}
	return nil
}

// exact is a copy without spare room.
func exact[T any](s []T) []T {
	out := make([]T, len(s))
	copy(out, s)
	return out
}

// addPart adds a part. An index has at most three times as many as there are
// partitions, and one of windows.
func (x *index) addPart(units []int32, lists []list) {
	if len(lists) == 0 {
		return
	}
	for _, l := range lists {
		l.part = uint16(len(x.units))
		x.lists = append(x.lists, l)
	}
	x.units = append(x.units, units)
}

// coarse makes the lists of the keys themselves.
func (b *blocker) coarse() error {
	type room struct {
		keys   []key
		hashes []matching.KeyHash
		finer  [256]bool
	}
	rooms := make([]room, b.e.o.Workers)
	all, err := b.collect("keys", 12, func(w int, u *placedUnit, to *postings) {
		r := &rooms[w]
		if b.e.model != nil {
			r.hashes = u.features.AppendSomeKeys(r.hashes[:0], block.AllRules, false)
			for _, k := range r.hashes {
				to.add(spread(k.Coarse), uint8(k.Rule), u.unit)
				r.finer[k.Rule] = r.finer[k.Rule] || k.Fine != 0
			}
		}
		r.keys = b.keys.keys(u, r.keys[:0])
		for _, k := range r.keys {
			to.add(spread(k.coarse), k.rule, u.unit)
		}
	})
	if err != nil {
		return err
	}
	for w := range rooms {
		for i := range b.x.rules {
			b.x.rules[i].finer = b.x.rules[i].finer || rooms[w].finer[i]
		}
	}
	b.spills = make([]atomic.Uint32, b.n)
	return b.partitions(all, "lists", func(f *found, part int, key uint32, run []posting) {
		r := &b.x.rules[ruleOf(key)]
		class := min(sizeClass(len(run)), overClass-1)
		if len(run) <= r.limit {
			f.add(run, groupOf(ruleOf(key), class))
		} else {
			class = overClass
		}
		switch {
		case len(run) <= spillFrom:
		case r.finer:
			f.spilled = append(f.spilled, spill(part, key, class-spillClass))
			spilled := uint32(block.SetOf(block.Rule(ruleOf(key)))) // only keys of the model are finer
			for _, p := range run {
				b.spills[unitOf(p)].Or(spilled)
			}
		case len(run) > r.limit:
			b.tooLong(f, ruleOf(key), run)
		}
	})
}

// fine makes the lists of the finer keys, of the units whose list is long.
func (b *blocker) fine() error {
	if b.spilled.used == 0 {
		return nil
	}
	coarse := postings{bits: b.bits}
	hashes := make([][]matching.KeyHash, b.e.o.Workers)
	all, err := b.collect("finer keys", 4, func(w int, u *placedUnit, to *postings) {
		wanted := block.RuleSet(b.spills[u.unit].Load())
		if wanted == 0 {
			return
		}
		hashes[w] = u.features.AppendSomeKeys(hashes[w][:0], wanted, true)
		for _, k := range hashes[w] {
			if k.Fine == 0 {
				continue
			}
			mixed, rule := spread(k.Coarse), uint8(k.Rule)
			if class, ok := b.spilled.find(coarse.partition(mixed), keyOf(postingOf(mixed, rule, 0))); ok {
				to.add(spread(k.Fine), rule*fineClasses+uint8(class), u.unit)
			}
		}
	})
	if err != nil {
		return err
	}
	b.spills = nil
	return b.partitions(all, "finer lists", func(f *found, _ int, key uint32, run []posting) {
		r, class := ruleOf(key)/fineClasses, int(ruleOf(key)%fineClasses)
		switch {
		case len(run) <= spillFrom:
			f.add(run, groupOf(r, kindFine+class))
		case len(run) <= b.x.rules[r].limit:
			f.add(run, groupOf(r, kindFine2+class))
		case class == overClass-spillClass: // else the list that it is a part of stands too
			b.tooLong(f, r, run)
		}
	})
}

// tooLong notes a list that is left out but for its windows.
func (b *blocker) tooLong(f *found, rule uint8, run []posting) {
	n := len(run)
	f.lost[rule].Keys++
	f.lost[rule].Pairs += int64(n) * int64(n-1) / 2
	if b.n > windowsUpTo && n > longestWindowed {
		return
	}
	l := longList{rule: rule, units: make([]int32, n)}
	for i, p := range run {
		l.units[i] = unitOf(p)
	}
	f.long = append(f.long, l)
}

// Windows: of a list that is too long the units are compared with their
// neighbours in the order of their content only: what grows is the list, not
// the work (Hernández and Stolfo 1995, "The merge/purge problem", the sorted
// neighbourhood). Each window shares its last unit with the next. On large
// tables the shortest of these lists are taken, while a tenth of the units, all
// in all, stands in them.
const (
	windowSize      = 12
	windowsUpTo     = 20_000
	longestWindowed = 1000
	windowedShare   = 10
)

func (b *blocker) windows() {
	slices.SortStableFunc(b.long, func(x, y longList) int {
		return cmp.Or(cmp.Compare(len(x.units), len(y.units)), cmp.Compare(x.rule, y.rule))
	})
	left, f := max(b.n/windowedShare, windowsUpTo), found{}
	for _, l := range b.long {
		if left -= len(l.units); left < 0 && b.n > windowsUpTo {
			break
		}
		slices.SortFunc(l.units, func(x, y int32) int {
			return cmp.Or(b.e.u.content(b.e.u.first[x], b.e.u.first[y]), cmp.Compare(x, y))
		})
		for from := 0; from+1 < len(l.units); from += windowSize - 1 {
			window := slices.Clone(l.units[from:min(from+windowSize, len(l.units))])
			slices.Sort(window)
			f.lists = append(f.lists, list{from: uint32(len(f.units)), group: groupOf(l.rule, kindNear)})
			f.units = append(f.units, window...)
		}
	}
	b.x.addPart(f.units, f.lists)
	b.long = nil
}

// byUnit turns the lists round: which lists a unit stands in, of the units that
// are wanted, nil for all. Those of unit u are lists[of[u]:of[u+1]].
func (x *index) byUnit(n int, wanted []bool) (of, lists []uint32) {
	of = make([]uint32, n+2) // from of[u+1] while being filled
	for _, part := range x.units {
		for _, u := range part {
			if wanted == nil || wanted[u] {
				of[u+2]++
			}
		}
	}
	for i := range n {
		of[i+2] += of[i+1]
	}
	lists = make([]uint32, of[n+1])
	for k := range x.lists {
		for _, u := range x.list(k) {
			if wanted == nil || wanted[u] {
				lists[of[u+1]] = uint32(k)
				of[u+1]++
			}
		}
	}
	return of, lists
}

// fineClasses is how many sizes of a list its finer ones tell apart.
const fineClasses = overClass - spillClass + 1

// spills are the keys whose lists are long, each with the class of its size:
// open addressing, behind a filter of bits that most other keys do not pass.
type spills struct {
	filter  []uint64
	entries []uint64 // partition, key and class; 0 for none
	used    int
}

const filterBits = 23

func spill(part int, key uint32, class int) uint64 {
	return uint64(part)<<36 | uint64(key)<<4 | uint64(class)<<1 | 1
}

func (s *spills) add(e uint64) {
	if s.filter == nil {
		s.filter = make([]uint64, 1<<(filterBits-6))
	}
	if 2*(s.used+1) > len(s.entries) {
		old := s.entries
		s.entries = make([]uint64, max(2*len(old), 1024))
		for _, o := range old {
			if o != 0 {
				s.entries[s.place(o)] = o
			}
		}
	}
	bit := mix(e>>4) >> (64 - filterBits)
	s.filter[bit>>6] |= 1 << (bit & 63)
	s.entries[s.place(e)] = e
	s.used++
}

func (s *spills) place(e uint64) uint64 {
	mask := uint64(len(s.entries) - 1)
	at := mix(e>>4) & mask
	for s.entries[at] != 0 && s.entries[at]>>4 != e>>4 {
		at = (at + 1) & mask
	}
	return at
}

func (s *spills) find(part int, key uint32) (class int, ok bool) {
	e := spill(part, key, 0)
	bit := mix(e>>4) >> (64 - filterBits)
	if s.filter[bit>>6]>>(bit&63)&1 == 0 {
		return 0, false
	}
	e = s.entries[s.place(e)]
	return int(e >> 1 & 7), e != 0
}
