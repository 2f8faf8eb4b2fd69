package block

// some is how a builder makes the keys of a few rules only, for those who sort
// them by themselves.
type some struct {
	only   bool // else all rules, sorted
	wanted RuleSet
	fine   bool // the Fine hashes are wanted
	tried  int  // at least how many keys Build would have been given
}

// BuildSome starts the keys of the wanted rules, in any order and with repeats.
// Without fine a Fine of 1 says that there is one. See Some.
func BuildSome(dst []KeyHash, seeds *Seeds, limit int, wanted RuleSet, fine bool) Builder {
	return Builder{seeds: seeds, keys: dst, from: len(dst), limit: limit, some: some{only: true, wanted: wanted, fine: fine}}
}

// Wants says whether any of these rules' keys are wanted. Where none is, the
// caller need not make them: most is how many they would be at the most.
func (b *Builder) Wants(rules RuleSet, most int) bool {
	if !b.some.only || b.some.wanted&rules != 0 {
		return true
	}
	b.some.tried += most
	return false
}

// moreSome is More. Where there may be too many keys already, all is not known.
func (b *Builder) moreSome(n int) {
	if b.some.tried <= b.limit {
		b.limit = b.some.tried + n
	}
}

func (b *Builder) addSome(r Rule, text []byte, fine []string, counted bool) {
	s := &b.some
	s.tried++
	if !s.wanted.Has(r) {
		return
	}
	h := fold(b.seeds[r], text) * prime
	k := KeyHash{Coarse: coarse(h, counted), Rule: r}
	if counted || anyText(fine) {
		if k.Fine = 1; s.fine {
			k.Fine = finer(h, fine)
		}
	}
	b.keys = append(b.keys, k)
}

// Some gives what the keys were appended to. all is false where there may be
// more keys than the limit: then those that Build keeps are to be chosen from.
func (b *Builder) Some() (keys []KeyHash, all bool) {
	return b.keys, b.some.tried <= b.limit
}
