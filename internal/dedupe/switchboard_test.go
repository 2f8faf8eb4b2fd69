package dedupe

import (
	"testing"

	"touchstone/matching/fit"
)

// A telephone of two places is that of their house; where one address is missing,
// or both are alike, it stays what it was.
func TestTelephonesOfTwoPlaces(t *testing.T) {
	e := &engine{phones: []int{0, 17}, streets: []int{1}}
	for _, tt := range []struct {
		name                     string
		street, phone, fax, want uint8
	}{
		{"one place", 1, 1, 1, 1},
		{"alike addresses", otherStreet - 1, 1, 1, 1},
		{"no address", 0, 1, 1, 1},
		{"two places", otherStreet, 1, 2, phoneElsewhere},
		{"quite another address", 9, 2, 1, phoneElsewhere},
		{"other telephones", 9, 5, 5, 5},
	} {
		levels := [2]uint64{uint64(tt.phone) | uint64(tt.street)<<4, uint64(tt.fax) << 4}
		e.oneSwitchboard(&levels)
		if phone, fax, street := levelOf(levels, 0), levelOf(levels, 17), levelOf(levels, 1); phone != tt.want || fax != tt.want || street != tt.street {
			t.Errorf("%s: telephone %d, fax %d, address %d; want %d, %d and %d", tt.name, phone, fax, street, tt.want, tt.want, tt.street)
		}
	}
}

// What is learnt of any two rows gives such a telephone no more weight.
func TestTelephonesOfTwoPlacesLearnNothing(t *testing.T) {
	phone := kindEvidence("phone", Phone)
	if got := phone.Levels[phoneElsewhere]; got != "same, another place" || phone.start[phoneElsewhere] != phoneElsewhereWeight {
		t.Fatalf("level %q weighs %d", got, phone.start[phoneElsewhere])
	}
	phone.meaning, phone.rare = Phone, &rarity{}
	e := &engine{fields: []evidence{phone, {Field: fit.Field{Name: "other"}}}}
	if got := e.bounded(0, phoneElsewhere, 12_000); got != phoneElsewhereWeight {
		t.Errorf("weighs %d after learning, want %d", got, phoneElsewhereWeight)
	}
	if got := e.bounded(0, 1, 12_000); got <= 9000 {
		t.Errorf("the same telephone weighs %d after learning, want more than 9000", got)
	}
}
