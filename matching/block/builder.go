package block

import "slices"

// Seeds are the beginnings of the hashes of an entity type's keys, by rule.
type Seeds [Rules]uint64

// SeedsOf makes those of an entity type.
func SeedsOf(entity string) *Seeds {
	s := &Seeds{}
	for r, name := range ruleNames() {
		s[r] = fold(fold(offset, entity)*prime, name) * prime
	}
	return s
}

// Value is the Coarse hash of a counted key: its last bit is set, as no other
// key's is, so that a stored key tells what it is. The text may come in parts.
func (s *Seeds) Value(r Rule, parts ...string) uint64 {
	h := s[r]
	for _, p := range parts {
		h = fold(h, p)
	}
	return closed(h*prime) | 1
}

// ValueOf is Value of one text.
func (s *Seeds) ValueOf(r Rule, text []byte) uint64 { return closed(fold(s[r], text)*prime) | 1 }

// Counted says whether a Coarse hash is that of a counted key.
func Counted(coarse uint64) bool { return coarse&1 == 1 }

// Builder collects the keys of one record, sorted by (Coarse, Fine), without
// repeats: past the limit those added first stay.
type Builder struct {
	seeds *Seeds
	keys  []KeyHash
	from  int // where this record's begin
	limit int
	only  RuleSet  // the rules that make keys; none: all
	named bool     // the texts are wanted
	texts []string // of the keys from there on
	some  some     // keys of some rules only
}

// Build starts the keys of a record, appended to dst, at most limit of them.
func Build(dst []KeyHash, seeds *Seeds, limit int) Builder {
	return Builder{seeds: seeds, keys: dst, from: len(dst), limit: limit}
}

// BuildNamed starts keys of which the texts are kept too.
func BuildNamed(seeds *Seeds, limit int) Builder {
	return Builder{seeds: seeds, limit: limit, named: true}
}

// Only leaves out the keys of other rules than these; the empty set leaves out
// none.
func (b *Builder) Only(s RuleSet) { b.only = s }

// More allows n keys beside those that are there.
func (b *Builder) More(n int) {
	if b.some.only {
		b.moreSome(n)
		return
	}
	b.limit = len(b.keys) - b.from + n
}

// Add makes one key: text is the value of the rule; the fine parts together are
// a second value that narrows it, none where they are empty. An empty text makes
// no key.
func (b *Builder) Add(r Rule, text []byte, fine ...string) {
	if len(text) == 0 {
		return
	}
	if b.some.only {
		b.addSome(r, text, fine, false)
		return
	}
	h := fold(b.seeds[r], text) * prime
	k := KeyHash{Coarse: coarse(h, false), Rule: r}
	if anyText(fine) {
		k.Fine = finer(h, fine)
	}
	b.put(k, text)
}

// coarse closes the hash of a key's text.
func coarse(h uint64, counted bool) uint64 {
	if counted {
		return closed(h) | 1
	}
	return max(closed(h)&^1, 2)
}

func anyText(parts []string) bool {
	for _, p := range parts {
		if p != "" {
			return true
		}
	}
	return false
}

// AddValue makes a counted key: its Fine hash is that of the holder's name, so
// that the different ones on its list count the names that use the value.
func (b *Builder) AddValue(r Rule, text []byte, name ...string) {
	if len(text) == 0 {
		return
	}
	if b.some.only {
		b.addSome(r, text, name, true)
		return
	}
	h := fold(b.seeds[r], text) * prime
	b.put(KeyHash{Coarse: coarse(h, true), Fine: finer(h, name), Rule: r}, text)
}

func finer(h uint64, parts []string) uint64 {
	for _, p := range parts {
		h = fold(h, p)
	}
	return closed(h * prime)
}

// put finds the key's place from the end: few enough to look through.
func (b *Builder) put(k KeyHash, text []byte) {
	if b.only != 0 && !b.only.Has(k.Rule) {
		return
	}
	i := len(b.keys)
	for i > b.from {
		o := &b.keys[i-1]
		if o.Coarse < k.Coarse || o.Coarse == k.Coarse && o.Fine < k.Fine {
			break
		}
		if o.Coarse == k.Coarse && o.Fine == k.Fine {
			return
		}
		i--
	}
	if len(b.keys)-b.from >= b.limit {
		return
	}
	b.keys = append(b.keys, k)
	copy(b.keys[i+1:], b.keys[i:])
	b.keys[i] = k
	if b.named {
		b.texts = slices.Insert(b.texts, i-b.from, string(text))
	}
}

// Hashes gives what the keys were appended to.
func (b *Builder) Hashes() []KeyHash { return b.keys }

// Keys gives the keys of a builder that keeps the texts.
func (b *Builder) Keys() []Key {
	names := ruleNames()
	out := make([]Key, len(b.texts))
	for i, t := range b.texts {
		k := &b.keys[b.from+i]
		out[i] = Key{k.Coarse, k.Fine, names[k.Rule], t}
	}
	return out
}
