package matching

// A household shares family name, address and telephone. Where the given names
// are two persons', these say where they live and not that they are one: the
// birth date, a number or an own e-mail address may say that.

// oneHousehold takes the weight off what a household shares.
func oneHousehold(out *[maxFields]found) {
	if out[pGiven].level != givenDifferent || out[pFamily].level == missing || out[pFamily].level > familyNear || out[pOrder].level == different {
		return
	}
	switch {
	case out[pBirth].level == birthSame, out[pIDs].level == idSame, out[pIDs].level == idNear, out[pEmail].level == mailSame:
		return
	}
	if l := out[pPhone].level; l == phoneSame || l == phoneNear {
		out[pPhone].level = phoneShared
	}
	if l := out[pAddress].level; l >= placeExact && l < placeShared {
		out[pAddress].level = placeShared
	}
}
