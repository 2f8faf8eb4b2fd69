package standardise

import (
	"slices"
	"strings"
	"sync"
)

// polyphones are the characters of names with more than one living reading, the
// readings without tones. The pronouncing dictionary knows many more, most of
// them dead: an index of those would find strangers.
const polyphones = `重 chong zhong;行 xing hang;单 dan shan chan;乐 le yue;长 chang zhang;朝 chao zhao;曾 zeng ceng;解 jie xie;盛 sheng cheng;晟 sheng cheng;藏 zang cang;传 chuan zhuan;调 tiao diao;都 du dou
降 jiang xiang;觉 jue jiao;会 hui kuai;柏 bai bo;贾 jia gu;车 che ju;厦 xia sha;卡 ka qia;参 can shen;仇 chou qiu;区 qu ou;朴 pu piao;查 cha zha;盖 gai ge;翟 zhai di;薄 bo bao;折 zhe she;尉 wei yu;缪 miao mou
种 zhong chong;员 yuan yun;召 zhao shao;洗 xi xian;隗 wei kui;茜 qian xi;莘 xin shen;角 jiao jue;率 lv shuai;弹 dan tan;省 sheng xing;宿 su xiu;称 cheng chen;秘 mi bi;合 he ge;扎 zha za;宓 mi fu;乜 nie mie;郗 xi chi
郇 xun huan;句 ju gou;系 xi ji;敦 dun dui;阿 a e;校 xiao jiao;颉 jie xie;亘 gen xuan;模 mo mu;度 du duo;绿 lv lu;强 qiang jiang;泊 bo po;朵 duo;沈 shen chen;覃 qin tan;谌 chen shen;佴 nai er`

// otherReadings maps a character to its readings by the table.
var otherReadings = sync.OnceValue(func() map[rune][]string {
	m := map[rune][]string{}
	for entry := range strings.FieldsFuncSeq(polyphones, func(r rune) bool { return r == ';' || r == '\n' }) {
		char, readings, _ := strings.Cut(entry, " ")
		for _, r := range char {
			m[r] = strings.Fields(readings)
		}
	}
	return m
})

// maxReadings bounds the further readings of one name.
const maxReadings = 4

// Readings gives the further readings of Chinese text, each without spaces, at
// most four: those in which one character, the first that can, is read another
// way come first. The usual one is Roman's. A ü is written v, and u as well.
func Readings(s string) []string {
	if oneReading(s) {
		return nil
	}
	usual := Roman(s)
	all := []string{""}
	for _, r := range s {
		if r == ' ' {
			continue
		}
		all = crossed(all, readingsOf(r))
	}
	var out []string
	for _, one := range all {
		if one != usual && !slices.Contains(out, one) && len(out) < maxReadings {
			out = append(out, one)
		}
	}
	return out
}

// readingsOf lists the readings of one character, the usual first.
func readingsOf(r rune) []string {
	if !isHan(r) {
		return []string{string(r)}
	}
	first := firstPinyin(r)
	if first == "" {
		return []string{string(r)}
	}
	list := []string{first}
	for _, p := range otherReadings()[r] {
		if !slices.Contains(list, p) {
			list = append(list, p)
		}
	}
	for _, p := range list {
		if u := strings.Replace(p, "v", "u", 1); u != p && !slices.Contains(list, u) {
			list = append(list, u)
		}
	}
	return list
}

// crossed puts each ending behind each head, usual endings first, and keeps a
// few more than are needed.
func crossed(heads, ends []string) []string {
	out := make([]string, 0, len(heads)*len(ends))
	for _, e := range ends {
		for _, h := range heads {
			if len(out) <= maxReadings {
				out = append(out, h+e)
			}
		}
	}
	return out
}

// syllables are the readings of the common characters: what a Latin word must be
// made of to be pinyin.
var syllables = sync.OnceValue(func() map[string]bool {
	m := map[string]bool{"lyu": true, "nyu": true, "lu": true, "nu": true}
	for r := rune(0x4e00); r <= 0x9fa5; r++ {
		if p := firstPinyin(r); len(p) >= 2 || p == "a" || p == "e" || p == "o" {
			m[p] = true
		}
	}
	for _, p := range []string{"hm", "hng", "ng"} {
		delete(m, p)
	}
	return m
})

// isPinyin says whether a folded Latin word is made of one to most syllables.
func isPinyin(s string, most int) bool {
	if s == "" {
		return true
	}
	if most == 0 || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	for n := min(6, len(s)); n >= 1; n-- {
		if syllables()[s[:n]] && isPinyin(s[n:], most-1) {
			return true
		}
	}
	return false
}

// surnameRank says how common a family name is, by either way of writing it: the
// commonest is 1, 0 is none.
type surnameRank struct{ pinyin, other int16 }

// romanSurnames ranks the ways to write Chinese family names in Latin letters by
// how common the names are; compound names are among them.
var romanSurnames = sync.OnceValue(func() map[string]surnameRank {
	m := map[string]surnameRank{}
	single, compound := []string{}, []string{}
	for s := range strings.FieldsSeq(hanSurnames) {
		if len([]rune(s)) > 1 {
			compound = append(compound, s)
		} else {
			single = append(single, s)
		}
	}
	rank := int16(0)
	for _, s := range append(single, compound...) {
		r := Roman(s)
		if own, ok := surnameReading(s); ok {
			r = own
		}
		rank++
		if e := m[r]; e.pinyin == 0 {
			e.pinyin = rank
			m[r] = e
		}
		for _, other := range southernReadings()[s] {
			if e := m[other]; e.other == 0 {
				e.other = rank
				m[other] = e
			}
		}
	}
	return m
})

// latinChinese reads a Chinese name written in Latin letters: which word is the
// family name, and the given name's syllables joined. ok is false for a name
// that is not clearly one.
func latinChinese(toks []string) (given, family string, ok bool) {
	if len(toks) < 2 || len(toks) > 4 {
		return "", "", false
	}
	var written [4]string
	toks = written[:copy(written[:], toks)]
	for i, t := range toks {
		toks[i] = lyuWritten(t)
	}
	best := int16(0)
	try := func(name string, rest []string) (taken bool) {
		rank, known := romanSurnames()[name]
		if !known {
			return false
		}
		r, g := rank.of(rest)
		if taken = r > 0 && (!ok || r < best); taken {
			best, family, given, ok = r, name, g, true
		}
		return taken
	}
	n := len(toks)
	try(toks[n-1], toks[:n-1]) // as a Western name is written: it wins a tie
	try(toks[0], toks[1:])
	if n > 2 { // "Ou Yang Na"
		try(toks[0]+toks[1], toks[2:])
		try(toks[n-2]+toks[n-1], toks[:n-2])
	}
	if ok || n < 4 {
		return given, family, ok
	}
	western := "" // a name before or behind: "Peter Chan Tai Man", "Chan Tai Man Peter"
	for _, c := range [...]struct {
		family, western string
		rest            []string
	}{{toks[3], toks[0], toks[1:3]}, {toks[1], toks[0], toks[2:4]}, {toks[0], toks[3], toks[1:3]}} {
		if try(c.family, c.rest) {
			western = c.western
		}
	}
	if ok {
		given += " " + western
	}
	return given, family, ok
}

// of gives the rank of a family name beside the words of a given name, which come
// back joined; 0 where they are none.
func (e surnameRank) of(rest []string) (rank int16, given string) {
	given = rest[0]
	if len(rest) > 1 {
		given = strings.Join(rest, "")
	}
	if e.pinyin > 0 && isPinyin(given, 2) && (len(rest) < 2 || isPinyin(rest[0], 1)) {
		return e.pinyin, given
	}
	if len(rest) > 2 || !spelt(given) {
		return 0, given
	}
	if e.other > 0 && (e.pinyin == 0 || e.other < e.pinyin) {
		return e.other, given
	}
	return e.pinyin, given
}

// lyuWritten writes ü as v: passports have "lyu" and "nyu".
func lyuWritten(s string) string {
	switch s {
	case "lyu":
		return "lv"
	case "nyu":
		return "nv"
	}
	return s
}
