package standardise

import (
	"strings"
	"sync"
)

// familyRoman is a Chinese family name's reading and its further ones.
type familyRoman struct {
	roman   string
	further []string
}

// surnameRomans holds the readings of the common family names.
var surnameRomans = sync.OnceValue(func() map[string]familyRoman {
	m := map[string]familyRoman{}
	for s := range strings.FieldsSeq(hanSurnames) {
		roman, further := readFamily(s)
		m[s] = familyRoman{roman, further}
	}
	return m
})

// southern are family names as they are written in Hong Kong, Taiwan
// (Wade-Giles without its apostrophes) and the south, where that is not pinyin;
// the commonest first.
const southern = `陈 chan tan;李 lee;王 wong ong;黄 wong hwang;张 cheung chang;刘 lau liew;林 lam lim;吴 ng goh;郑 cheng tay;何 ho;梁 leung leong;蔡 choi tsai;许 hui hsu;谢 tse hsieh;周 chow chou;郭 kwok kuo;曾 tsang tseng;杨 yeung yeo
罗 lo law;邓 tang teng;叶 yip yeh;冯 fung;谭 tam;朱 chu choo;徐 tsui hsu;苏 so soo;高 ko kao;胡 woo wu;赵 chiu chao;卢 lo;余 yu yee;潘 poon;方 fong;麦 mak;关 kwan;萧 siu hsiao;肖 siu hsiao;钟 chung;彭 pang;蒋 chiang;姜 chiang;江 kong chiang
孙 suen;汤 tong;莫 mok;洪 hung;邱 yau chiu;廖 liu;程 ching cheng;阮 yuen;温 wan;袁 yuen;区 au;欧 au;陆 luk;崔 chui;石 shek shih;文 man;龙 lung;严 yim;丁 ting;沈 shum shen;姚 yiu;伍 ng;简 kan chien;金 kam chin;宋 sung;唐 tong;韩 hon
白 pak pai;易 yik;戴 tai;夏 hsia;侯 hau hou;孔 hung kung;翁 yung;施 sze shih;游 yau yu;詹 chim;颜 ngan yen;官 koon;骆 lok;甘 kam;古 ku;冼 sin;魏 ngai;曹 tso tsao;梅 mui;岑 shum;霍 fok;顾 koo ku;雷 lui;童 tung;毛 mo;凌 ling;柯 or ko;田 tin tien;任 yam jen
薛 hsueh;向 hsiang;秦 chin;贾 chia;吕 lui lu;董 tung;傅 foo;姚 yiu;邹 chow tsou;熊 hung hsiung;段 tuan;欧阳 auyeung;司徒 szeto;上官 sheungkwun;诸葛 chukot`

var southernReadings = sync.OnceValue(func() map[string][]string {
	m := map[string][]string{}
	for entry := range strings.FieldsFuncSeq(southern, func(r rune) bool { return r == ';' || r == '\n' }) {
		name, readings, _ := strings.Cut(entry, " ")
		m[name] = strings.Fields(readings)
	}
	return m
})

// latinized writes Cyrillic and Greek letters (folded) in Latin ones, as
// passports mostly do; other text passes.
func latinized(s string) string {
	foreign := false
	for _, r := range s {
		foreign = foreign || r >= 0x370 && r < latinEnd
	}
	if !foreign {
		return s
	}
	b := make([]byte, 0, len(s))
	for _, r := range s {
		if l, ok := latinLetters(r); ok {
			b = append(b, l...)
			continue
		}
		b = append(b, string(r)...)
	}
	return string(b)
}

const (
	cyrillicLetters = "a b v g d e zh z i i k l m n o p r s t u f kh ts ch sh shch - y - e yu ya"
	greekLetters    = "a v g d e z i th i k l m n x o p r s s t y f ch ps o"
)

var latinLetterTable = sync.OnceValue(func() map[rune]string {
	m := map[rune]string{'і': "i", 'є': "ye", 'ґ': "g", 'ђ': "dj", 'ј': "j", 'љ': "lj", 'њ': "nj", 'ћ': "c", 'џ': "dz"}
	r := 'а'
	for l := range strings.FieldsSeq(cyrillicLetters) {
		m[r] = strings.Trim(l, "-")
		r++
	}
	r = 'α'
	for l := range strings.FieldsSeq(greekLetters) {
		m[r] = l
		r++
	}
	return m
})

func latinLetters(r rune) (string, bool) {
	if r < 0x370 || r >= latinEnd {
		return "", false
	}
	l, ok := latinLetterTable()[r]
	return l, ok
}
