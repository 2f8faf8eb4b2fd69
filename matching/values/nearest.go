package values

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"touchstone/matching/compare"
	"touchstone/matching/standardise"
)

// near groups values that a chain of small distances ties together.
//
// Two texts k edits apart share all q-grams but at most k·q of each. Where the
// grams of every text are put in one order, the rarest first, they then share
// one among the first k·q+1 of each: only those are listed (the prefix filter of
// Chaudhuri, Ganti and Kaushik, 2006). Pairs that share no q-gram at all are not
// found; a smaller N finds more of them.
type near struct {
	o      Options
	text   []string // folded
	size   []uint16 // in runes
	han    []bool
	rarity []uint32 // by the low bits of a gram's hash: how often it stands

	parent            []uint32
	compared, spilled int
}

// rarityBits: a million counters, whatever the number of grams.
const rarityBits = 20

func newNear(list []Value, o Options) *near {
	n := &near{o: o, text: make([]string, len(list)), size: make([]uint16, len(list)), han: make([]bool, len(list)), rarity: make([]uint32, 1<<rarityBits), parent: make([]uint32, len(list))}
	for i, v := range list {
		n.parent[i] = uint32(i)
		n.text[i] = compare.Prefix(strings.Join(tokens(v.Text), " "), compare.Max)
		n.size[i] = uint16(utf8.RuneCountInString(n.text[i]))
		n.han[i] = standardise.HasHan(v.Text)
	}
	return n
}

// grams appends the hashes of the q-grams of a value, each once; a text no longer
// than q is one gram.
func (n *near) grams(i uint32, into []uint32) []uint32 {
	var buf [compare.Max]rune
	text := buf[:0]
	for _, r := range n.text[i] {
		text = append(text, r)
	}
	if len(text) == 0 {
		return into
	}
	q := n.q(i)
	for at := 0; at == 0 || at+q <= len(text); at++ {
		h := uint32(2166136261) // FNV-1a, the same in every process
		for _, r := range text[at:min(at+q, len(text))] {
			for s := 0; s < 24; s += 8 {
				h = (h ^ uint32(r>>s)&0xff) * 16777619
			}
		}
		into = append(into, h^h>>15)
	}
	slices.Sort(into)
	return slices.Compact(into)
}

func (n *near) q(i uint32) int {
	if n.o.N > 0 {
		return n.o.N
	}
	if n.han[i] {
		return sharedHan
	}
	return defaultShared
}

func (n *near) count(gram uint32) uint32 { return n.rarity[gram&(1<<rarityBits-1)] }

// groups compares what shares a gram and gives the groups of more than one.
func (n *near) groups() [][]int {
	values := uint32(len(n.parent))
	var buf []uint32
	for i := range values {
		buf = n.grams(i, buf[:0])
		for _, g := range buf {
			n.rarity[g&(1<<rarityBits-1)]++
		}
	}
	listed := n.listed(&buf)
	for from := 0; from < len(listed); {
		to := from + 1
		for to < len(listed) && listed[to]>>32 == listed[from]>>32 {
			to++
		}
		n.block(listed[from:to])
		from = to
	}
	return n.components()
}

// listed holds a gram and a value in each number, sorted.
func (n *near) listed(buf *[]uint32) []uint64 {
	edits := n.o.Radius
	if n.o.Distance == JaroWinkler {
		edits = defaultEdits
	}
	var listed []uint64
	for i := range uint32(len(n.parent)) {
		grams := n.grams(i, (*buf)[:0])
		*buf = grams
		slices.SortFunc(grams, func(a, b uint32) int { return cmp.Or(cmp.Compare(n.count(a), n.count(b)), cmp.Compare(a, b)) })
		for _, g := range grams[:min(len(grams), int(edits)*n.q(i)+1)] {
			if n.count(g) > 1 {
				listed = append(listed, uint64(g)<<32|uint64(i))
			}
		}
	}
	slices.Sort(listed)
	return listed
}

// block compares the values that share a gram: each with each, in a long list
// with those that stand next to it in content order.
func (n *near) block(list []uint64) {
	width := len(list)
	if width > n.o.Block {
		width = max(n.o.Block/10, 1)
		n.spilled++
	}
	for i := range list {
		for j := i + 1; j < len(list) && j-i <= width; j++ {
			a, b := n.root(uint32(list[i])), n.root(uint32(list[j]))
			if a != b && n.close(uint32(list[i]), uint32(list[j])) {
				n.parent[max(a, b)] = min(a, b)
			}
		}
	}
}

func (n *near) close(i, j uint32) bool {
	a, b := n.text[i], n.text[j]
	if n.o.Distance == JaroWinkler {
		n.compared++
		return 1-compare.JaroWinklerString(a, b) <= n.o.Radius
	}
	x, y := int(n.size[i]), int(n.size[j])
	limit := min(int(n.o.Radius), min(x, y)/3)
	if max(x, y)-min(x, y) > limit {
		return false
	}
	n.compared++
	return compare.LevenshteinString(a, b, limit) <= limit
}

func (n *near) root(i uint32) uint32 {
	for n.parent[i] != i {
		n.parent[i] = n.parent[n.parent[i]]
		i = n.parent[i]
	}
	return i
}

func (n *near) components() (groups [][]int) {
	size := make([]uint32, len(n.parent))
	for i := range n.parent {
		size[n.root(uint32(i))]++
	}
	at := map[uint32]int{}
	for i := range n.parent {
		r := n.root(uint32(i))
		if size[r] < 2 {
			continue
		}
		g, ok := at[r]
		if !ok {
			g = len(groups)
			at[r] = g
			groups = append(groups, nil)
		}
		groups[g] = append(groups[g], i)
	}
	return groups
}
