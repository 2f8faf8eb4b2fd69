package block

// FNV-1a, 64 bit (Fowler, Noll, Vo): offset basis and prime. Stored keys hold
// its values, so it must never change.
const (
	offset = 14695981039346656037
	prime  = 1099511628211
)

// Hash folds the parts, each ended by a zero byte, and never gives 0.
func Hash(parts ...string) uint64 {
	h := uint64(offset)
	for _, p := range parts {
		h = fold(h, p) * prime // the zero byte
	}
	return closed(h)
}

// fold takes more of a part into a hash that is not closed.
func fold[T string | []byte](h uint64, part T) uint64 {
	for i := range len(part) {
		h = (h ^ uint64(part[i])) * prime
	}
	return h
}

func closed(h uint64) uint64 {
	if h == 0 {
		return 1
	}
	return h
}
