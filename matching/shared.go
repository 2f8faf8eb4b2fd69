package matching

import (
	"slices"

	"touchstone/matching/block"
)

// A phone, an e-mail address, a company's domain or a full address is counted:
// its blocking key's finer hash is the short form of the holder's name, so that
// the number of different finer hashes on its list is the number of different
// names that use it. One that more names use than the model allows is shared: a
// switchboard, an info@ address, an agent's office. It says little then.

// sharing are the marks of a record's values, a bit each.
type sharing uint64

// Where the bits of each kind of value begin.
const (
	sharedPhones  = 0
	sharedEmails  = sharedPhones + maxValues
	sharedDomains = sharedEmails + maxValues // of the emails
	sharedWebs    = sharedDomains + maxValues
	sharedPlaces  = sharedWebs + maxValues
)

func (s sharing) has(kind, i int) bool { return s>>(kind+i)&1 != 0 }

// Share marks the values of a record that are shared, given by the hash of
// their key (Key.Coarse of a counted key). It gives the features themselves
// where their marks are so already, else a copy.
func (f *Features) Share(shared func(value uint64) bool) *Features {
	marks := f.sharing(shared)
	if marks == f.shared {
		return f
	}
	out := *f
	out.shared = marks
	return &out
}

func (f *Features) sharing(shared func(uint64) bool) sharing {
	marks := f.listed(shared)
	if marks == 0 || f.mostKeys() <= MaxKeys {
		return marks
	}
	own := f.AppendKeys(nil) // a record has only so many keys: what it is not counted with is not shared
	return f.listed(func(value uint64) bool {
		return shared(value) && slices.ContainsFunc(own, func(k KeyHash) bool { return k.Coarse == value })
	})
}

// listed marks the values that are on the list.
func (f *Features) listed(shared func(uint64) bool) (marks sharing) {
	seeds := f.seeds()
	set := func(kind, i int, is bool) bool {
		if is {
			marks |= 1 << (kind + i)
		}
		return is
	}
	company := f.kind() == kindCompany
	for i := range f.count(phones) {
		set(sharedPhones, i, shared(seeds.Value(block.Phone, phoneKey(f.phone(i)))))
	}
	for i := range f.count(emails) {
		e := f.email(i)
		domain := set(sharedDomains, i, company && !e.free() && shared(seeds.Value(block.Domain, e.domain())))
		set(sharedEmails, i, domain || shared(seeds.Value(block.Email, e.whole())))
	}
	for i := range f.count(webs) {
		set(sharedWebs, i, company && shared(seeds.Value(block.Domain, f.web(i))))
	}
	var room [160]byte
	for i := range f.count(places) {
		if text := f.place(i).appendKey(room[:0]); len(text) > 0 {
			set(sharedPlaces, i, shared(seeds.ValueOf(block.Address, text)))
		}
	}
	return marks
}

// SharedText names a counted key for people: what kind of value, and the value.
func SharedText(f *Features, value uint64) (kind, text string) {
	for _, k := range f.Keys() {
		if k.Coarse != value {
			continue
		}
		if k.Rule != "address" {
			return k.Rule, k.Text
		}
		for i := range f.count(places) {
			if p := f.place(i); string(p.appendKey(nil)) == k.Text {
				return k.Rule, p.String()
			}
		}
	}
	return "", ""
}
