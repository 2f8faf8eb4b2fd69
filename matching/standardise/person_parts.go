package standardise

import "strings"

// withoutTitles takes titles off the front of a folded name of several words;
// the last word stays.
func withoutTitles(s string) string {
	for {
		head, rest, ok := strings.Cut(s, " ")
		if !ok || !latinTitle(head) {
			return s
		}
		s = rest
	}
}

// familyTitle says whether a name begins with a title that a family name may
// follow: "Mr Smith", but "Sir Elton".
func familyTitle(s string) bool {
	head, _, _ := strings.Cut(Fold(s), " ")
	return latinTitle(head) && head != "sir" && head != "dame"
}

// patronymic knows the father's names of Russian and Ukrainian, in Cyrillic
// letters: in Latin ones there are family names like them.
func patronymic(s string) bool {
	for _, end := range [...]string{"ович", "евич", "ьич", "овна", "евна", "ична", "івна"} {
		if head, ok := strings.CutSuffix(s, end); ok && len(head) >= 4 {
			return true
		}
	}
	return false
}

// scriptsOf parts Latin letters from Chinese characters; latin is "" where there
// is anything else, for then the text is not two names.
func scriptsOf(s string) (latin, han string) {
	if !strings.ContainsFunc(s, func(r rune) bool { return r < 0x80 }) {
		return "", s
	}
	var l, h []rune
	for _, r := range s {
		switch {
		case r >= 'a' && r <= 'z':
			l = append(l, r)
		case isHan(r):
			h = append(h, r)
		default:
			return "", s
		}
	}
	return string(l), string(h)
}

func latinTitle(s string) bool {
	switch s {
	case "mr", "mrs", "ms", "miss", "mx", "dr", "prof", "sir", "dame", "rev",
		"herr", "frau", "dipl", "mme", "mlle", "monsieur", "madame", "maitre",
		"sr", "sra", "srta", "senor", "senora", "senorita",
		"signor", "signora", "dott", "dottssa", "avv", "professor", "doctor", "doktor":
		return true
	}
	return false
}

// withoutDegrees takes what was earned off the end: "PhD", "MBA", "Esq".
func withoutDegrees(s string) string {
	for {
		i := strings.LastIndexByte(s, ' ')
		if i <= 0 || !degree(s[i+1:]) || strings.IndexByte(s[:i], ' ') < 0 && len(s)-i > 5 {
			return s
		}
		s = s[:i]
	}
}

func degree(s string) bool {
	switch s {
	case "phd", "mba", "esq", "esquire", "md", "dds", "cpa", "jd", "llm", "msc", "bsc", "obe", "mbe", "cbe":
		return true
	}
	return false
}

// cutBirthName takes "née Smith", "geb. Müller" off the end: the name in use is
// what stands before.
func cutBirthName(s string) string {
	for i := 1; i < len(s); i++ {
		if s[i-1] != ' ' {
			continue
		}
		word, rest, ok := strings.Cut(s[i:], " ")
		if ok && rest != "" && birthWord(word) {
			return s[:i-1]
		}
	}
	return s
}

func birthWord(s string) bool {
	switch s {
	case "nee", "geb", "geborene", "geboren", "born", "урожденная", "nata", "roz":
		return true
	}
	return false
}

// particle: a word that belongs to the family name behind it.
func particle(s string) bool {
	switch s {
	case "van", "von", "de", "der", "den", "di", "da", "del", "la", "le", "dos", "das", "do", "du", "bin", "ibn", "bint", "ben", "al", "el", "abu", "ter", "ten", "zu", "zum", "zur", "st", "della", "dello", "degli",
		"lo", "las", "los", "af", "av", "vom", "vander", "vanden", "op", "saint", "san", "santa", "mac", "mc", "ap":
		return true
	}
	return false
}

func suffixClass(s string) string {
	switch s {
	case "jr", "junior", "jnr":
		return "jr"
	case "sr", "senior", "snr":
		return "sr"
	case "ii", "2nd":
		return "ii"
	case "iii", "3rd":
		return "iii"
	case "iv", "4th":
		return "iv"
	}
	return ""
}

// withoutHanTitle takes a title off the end of a Chinese name of three
// characters or more: 王小明先生, 李女士.
func withoutHanTitle(s string) string {
	for _, w := range [...]string{"先生", "女士", "小姐", "太太", "总经理", "教授", "博士", "老师", "医生", "律师", "工程师"} {
		if head, ok := strings.CutSuffix(s, w); ok && head != "" && HasHan(head) {
			return head
		}
	}
	return s
}

// hanTitle: what stands where a given name should: 先生, 女士 …
func hanTitle(s string) bool {
	switch s {
	case "先生", "女士", "小姐", "太太", "总", "经理", "总经理", "老师", "主任", "老板", "同学", "医生", "教授", "师傅", "博士", "律师", "董事长", "总监", "工程师":
		return true
	}
	return false
}
