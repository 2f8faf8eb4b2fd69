package standardise

// Expected gives the check digit that an identifier whose check does not hold
// would have, by its other characters: what is wanted and what stands there.
// Both are "" where the scheme's rule gives none, or more than one. Any other
// character may be the wrong one as well.
func (id ID) Expected() (want, has string) {
	if !id.Wrong || !isASCII(id.Value) {
		return "", ""
	}
	from, to := checkAt(id.Scheme, id.Value)
	fits := 0
	try := func(c string) {
		if ok, known := checkID(id.Scheme, id.Value[:from]+c+id.Value[to:]); ok && known {
			want = c
			fits++
		}
	}
	switch to - from {
	case 1:
		for _, c := range usccAlphabet {
			try(string(c))
		}
	case 2:
		for i := 2; i <= 98; i++ { // ISO 7064 MOD 97-10 writes none of 00, 01 and 99
			try(string([]byte{'0' + byte(i/10), '0' + byte(i%10)}))
		}
	}
	if fits != 1 {
		return "", ""
	}
	return want, id.Value[from:to]
}

// checkAt is where the check digit of a scheme stands; to is 0 where a value has
// not the length of one.
func checkAt(scheme, v string) (from, to int) {
	n := len(v)
	last := func(length int) (int, int) {
		if n != length {
			return 0, 0
		}
		return n - 1, n
	}
	switch scheme {
	case "uscc", "cnid":
		return last(18)
	case "siren", "acn":
		return last(9)
	case "siret":
		return last(14)
	case "cnreg":
		return last(15)
	case "lei":
		if n == 20 {
			return 18, 20
		}
	case "iban":
		if n >= 15 {
			return 2, 4
		}
	case "vat":
		return vatCheckAt(v)
	}
	return 0, 0
}

// vatCheckAt knows the countries whose VAT numbers end in one check digit.
func vatCheckAt(v string) (from, to int) {
	if len(v) < 4 {
		return 0, 0
	}
	switch v[:2] {
	case "DE", "AT", "DK", "EE", "EL", "GR", "FI", "HR", "HU", "IT", "PL", "PT", "SI":
		return len(v) - 1, len(v)
	}
	return 0, 0
}
