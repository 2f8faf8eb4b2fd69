package matching

import "touchstone/matching/block"

// ValueHash is a hash of the record's value in the model's field i whose rarity
// tells: the names of a person, the brand of a company or of an employer. 0: it
// has none. Records that agree in the field exactly have equal ones.
func (f *Features) ValueHash(i int) uint64 {
	if f.kind() == kindPerson && i == pEmployer {
		if f.count(orgs) == 0 {
			return 0
		}
		return block.Hash(f.Entity(), "value", f.org(0).brand())
	}
	return f.valueHash(i, 0)
}
