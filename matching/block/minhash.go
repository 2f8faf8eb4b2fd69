package block

// MinHash (Broder 1997, "On the resemblance and containment of documents"): of
// two sets, the members that come first in a random order of all are the same
// one with the probability of the sets' Jaccard similarity. Each of several
// orders gives a key; two texts alike by J share one of n with 1 − (1 − J)ⁿ.

// Firsts gives, for each place of out, the member of a set that comes first in
// the order of that number. An order is that of the members' hashes by a seed of
// its own: the same in every run and on every machine. Stored keys hold what
// comes first, so the orders must never change. out stays as it is where the set
// is empty.
func Firsts[T ~uint64](set, out []T) {
	for k := range out {
		seed := Mixed(uint64(k) + 1)
		least := ^uint64(0)
		for i, m := range set {
			if h := Mixed(uint64(m) ^ seed); h < least || i == 0 {
				least, out[k] = h, m
			}
		}
	}
}

// Mixed is the finaliser of SplitMix64 (Steele, Lea, Flood 2014): one to one, so
// that no two members share a place.
func Mixed(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
