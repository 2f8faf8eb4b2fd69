package matching

import (
	"slices"

	"touchstone/internal/record"
	"touchstone/matching/block"
)

// A phone, an e-mail address, a company's domain or a full address is counted:
// its blocking key's finer hash is the short form of the holder's name, so that
// the number of different finer hashes on its list is the number of different
// names that use it. One that more names use than the model allows is shared: a
// switchboard, an info@ address, an agent's office. It says little then.

// Share marks the values of a record that are shared, given by the hash of
// their key (Key.Coarse of a counted key). It gives the features themselves
// where none is, else a copy.
func (f *Features) Share(shared func(value uint64) bool) *Features {
	if !f.holdsAny(shared) {
		return f.unshared()
	}
	out := *f
	any := false
	var own []Key // a record has only so many keys: what it is not counted with is not shared
	marked, all := shared, f.mostKeys() <= MaxKeys
	shared = func(value uint64) bool {
		if !marked(value) {
			return false
		}
		if all {
			return true
		}
		if own == nil {
			own = f.Keys()
		}
		return slices.ContainsFunc(own, func(k Key) bool { return k.Coarse == value })
	}
	phones := slices.Clone(f.phones)
	for i := range phones {
		phones[i].shared = shared(f.phoneValue(&phones[i]))
		any = any || phones[i].shared
	}
	emails := slices.Clone(f.emails)
	for i := range emails {
		e := &emails[i]
		e.domainShared = f.entity == record.Company && !e.free && shared(f.domainValue(e.domain))
		e.shared = e.domainShared || shared(f.emailValue(e))
		any = any || e.shared
	}
	webs := make([]bool, len(f.webs))
	for i, w := range f.webs {
		webs[i] = f.entity == record.Company && shared(f.domainValue(w))
		any = any || webs[i]
	}
	places := slices.Clone(f.places)
	for i := range places {
		if text := places[i].key(); text != "" {
			places[i].shared = shared(block.Value(f.entity, "address", text))
			any = any || places[i].shared
		}
	}
	if !any {
		return f.unshared()
	}
	out.phones, out.emails, out.webShared, out.places = phones, emails, webs, places
	return &out
}

// holdsAny says whether any value of a record is on the list: most have none, and
// are not copied.
func (f *Features) holdsAny(shared func(uint64) bool) bool {
	for i := range f.phones {
		if shared(f.phoneValue(&f.phones[i])) {
			return true
		}
	}
	company := f.entity == record.Company
	for i := range f.emails {
		if e := &f.emails[i]; shared(f.emailValue(e)) || company && !e.free && shared(f.domainValue(e.domain)) {
			return true
		}
	}
	for _, w := range f.webs {
		if company && shared(f.domainValue(w)) {
			return true
		}
	}
	for i := range f.places {
		if text := f.places[i].key(); text != "" && shared(block.Value(f.entity, "address", text)) {
			return true
		}
	}
	return false
}

// unshared gives the features without marks.
func (f *Features) unshared() *Features {
	marked := slices.ContainsFunc(f.phones, func(p phone) bool { return p.shared }) || slices.ContainsFunc(f.emails, func(e email) bool { return e.shared }) ||
		slices.Contains(f.webShared, true) || slices.ContainsFunc(f.places, func(p place) bool { return p.shared })
	if !marked {
		return f
	}
	out := *f
	out.phones, out.emails, out.places, out.webShared = slices.Clone(f.phones), slices.Clone(f.emails), slices.Clone(f.places), nil
	for i := range out.phones {
		out.phones[i].shared = false
	}
	for i := range out.emails {
		out.emails[i].shared, out.emails[i].domainShared = false, false
	}
	for i := range out.places {
		out.places[i].shared = false
	}
	return &out
}

func (f *Features) phoneValue(p *phone) uint64 {
	return block.Value(f.entity, "phone", lastDigits(p.tail, 8))
}

func (f *Features) emailValue(e *email) uint64 {
	return block.Value(f.entity, "email", e.local+"@"+e.domain)
}

func (f *Features) domainValue(domain string) uint64 { return block.Value(f.entity, "domain", domain) }

// key is the text by which an address is counted: street, number and units in
// their town. An address without a street and a number is not one place.
func (p *place) key() string {
	if p.Street == "" || p.House == "" {
		return ""
	}
	return squashed(p.Street) + " " + p.House + " " + p.Units + "|" + cmpOr(p.City, p.Postcode)
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
		for i := range f.places {
			if f.places[i].key() == k.Text {
				return k.Rule, addressText(&f.places[i].Address)
			}
		}
	}
	return "", ""
}
