package standardise

import (
	"slices"
	"strings"
	"sync"
)

// cantonese are the syllables of given names as they are spelt in Hong Kong, with
// the characters that names have them for, the commonest first. The spelling is
// that of the identity cards, which follow no scheme; the readings in pinyin are
// those of the characters.
const cantonese = `cheuk 卓;chi 志智芝之;chee 志智;ching 清晴静青正澄程;choi 彩才财;chor 楚;chuen 全泉铨;chui 翠;chun 俊春进骏振珍;chung 忠聪松仲宗;fai 辉;fan 芬凡;fat 发法;fong 芳方;foon 欢;fu 富夫;fuk 福;fung 凤峰丰锋枫
ha 霞夏;hang 恒行杏;hau 孝巧厚;hei 希熙喜曦;him 谦;hin 轩显宪;ho 浩豪可河;hoi 海凯;hon 汉瀚;hong 康匡;hung 雄红洪鸿;hwa 华;ka 家嘉佳;kar 家嘉佳;kai 启继佳;kam 金锦琴甘;kan 勤根;kay 基奇;kei 基奇琪祺其;keung 强;kin 健建坚;king 敬景琼;kit 杰洁;kiu 娇乔
kong 刚江;kuen 权娟;kui 巨;kwai 贵桂葵;kwan 君坤均群筠昆;kwok 国;kwong 光广;lai 丽礼黎;lam 琳林霖;lan 兰;lap 立;lau 柳;lee 莉利;leung 良亮;li 莉利;lik 力;lim 廉;lin 莲连;ling 玲灵凌龄;lit 烈;lok 乐;long 朗;lun 伦麟;lung 龙隆;man 文敏民曼
mei 美;mee 美;ming 明铭鸣;miu 妙苗;mo 武慕;mok 莫;mui 梅妹;muk 木;nam 南楠;ngai 毅艺巍;ngan 雁银颜;ngar 雅;ngor 娥;ning 宁;oi 爱;on 安;pak 柏;pik 碧;ping 平萍炳秉;piu 彪;po 宝波保布;pong 邦;pui 佩培沛贝;pun 本;sang 生;sau 秀修守寿;san 新珊
shan 珊山;shing 成诚胜城承;shek 石;sheung 尚常双;shu 树舒;shuk 淑;shun 信顺淳;shung 崇;sik 锡;sin 善先仙倩;sing 星声胜;siu 小少兆绍;suen 璇;suet 雪;suk 淑叔;sum 心深森;sun 新信;sung 崇;sze 思诗施士斯;szeto 司徒;ta 达;tai 大泰娣;tak 德;tat 达
tim 添甜;tin 天田;ting 婷庭廷霆;tit 铁;to 涛图;tong 棠唐堂;tsan 灿赞;tsun 俊进;tsz 子梓紫芷;tze 子梓紫芷;tung 东通冬彤童;wa 华;wah 华;wai 伟惠慧威维卫怀;wan 云韵允温环;wang 宏弘;wing 永荣颖咏;wo 和;wu 湖;yam 荫任;yan 欣恩仁因殷;yat 一日逸;yau 有友佑幽
yee 仪义宜怡儿;yeung 阳洋;yi 仪义宜怡儿;yik 奕易益亦;yim 艳;yin 燕贤然烟;ying 英莹盈应映;yip 业;yiu 耀瑶尧;yue 宇如愉;yu 宇如愉瑜;yuen 源元远婉园;yuet 月悦粤;yuk 玉育旭;yun 润欣;yung 勇容蓉庸`

// A romanised name's syllables, and the pinyin they may stand for.
type spellings map[string][]string

var cantoneseSyllables = sync.OnceValue(func() spellings {
	m := spellings{}
	for entry := range strings.FieldsFuncSeq(cantonese, func(r rune) bool { return r == ';' || r == '\n' }) {
		syllable, chars, _ := strings.Cut(entry, " ")
		var all string
		for _, r := range chars {
			if syllable == "szeto" { // two characters, one name
				all += firstPinyin(r)
				continue
			}
			m.add(syllable, firstPinyin(r))
		}
		if all != "" {
			m.add(syllable, all)
		}
	}
	return m
})

func (m spellings) add(syllable, pinyin string) {
	if !slices.Contains(m[syllable], pinyin) {
		m[syllable] = append(m[syllable], pinyin)
	}
}

// wadeGiles are the syllables of Taiwan's passports, by the system of Wade and
// Giles without its marks: ch is zh, ch, j and q.
var wadeGiles = sync.OnceValue(func() spellings {
	m := spellings{}
	list := make([]string, 0, len(syllables()))
	for s := range syllables() {
		list = append(list, s)
	}
	slices.Sort(list)
	for _, s := range list {
		for _, w := range wadeGilesOf(s) {
			m.add(w, s)
		}
	}
	return m
})

// wadeGilesOf spells a syllable of pinyin.
func wadeGilesOf(s string) []string {
	switch s {
	case "zhi", "chi":
		return []string{"chih"}
	case "shi":
		return []string{"shih"}
	case "ri":
		return []string{"jih"}
	case "zi", "ci":
		return []string{"tzu", "tze"}
	case "si":
		return []string{"ssu", "szu"}
	case "yi":
		return []string{"yi", "i"}
	case "er":
		return []string{"erh"}
	case "you":
		return []string{"yu"}
	case "yan":
		return []string{"yen"}
	case "ye":
		return []string{"yeh"}
	case "ge", "ke":
		return []string{"ko"}
	case "he":
		return []string{"ho"}
	case "lyu", "nyu":
		return nil
	}
	head, final := wadeGilesHead(s)
	switch {
	case final == "ian":
		final = "ien"
	case final == "ie" || final == "ue" || final == "ve":
		final += "h"
	case final == "ong" || final == "iong":
		final = strings.Replace(final, "ong", "ung", 1)
	case final == "uo" && head != "k" && head != "h" && head != "sh":
		final = "o"
	case final == "ui" && head == "k":
		final = "uei"
	}
	return []string{head + strings.ReplaceAll(final, "v", "u")}
}

func wadeGilesHead(s string) (head, final string) {
	for _, p := range [...][2]string{
		{"zh", "ch"}, {"ch", "ch"}, {"sh", "sh"}, {"b", "p"}, {"d", "t"}, {"g", "k"}, {"z", "ts"}, {"c", "ts"}, {"j", "ch"}, {"q", "ch"}, {"x", "hs"}, {"r", "j"},
	} {
		if rest, ok := strings.CutPrefix(s, p[0]); ok {
			return p[1], rest
		}
	}
	if strings.IndexByte("aeio", s[0]) >= 0 {
		return "", s
	}
	return s[:1], s[1:]
}

// divided parts a given name of one or two syllables, written in one word; the
// first is as long as can be.
func (m spellings) divided(given string) (heads, ends []string, ok bool) {
	if heads, ok = m[given]; ok {
		return heads, []string{""}, true
	}
	for i := min(6, len(given)-1); i > 0; i-- {
		if heads, ends = m[given[:i]], m[given[i:]]; heads != nil && ends != nil {
			return heads, ends, true
		}
	}
	return nil, nil, false
}

// spelt says whether a given name is spelt as in Hong Kong or Taiwan.
func spelt(given string) bool {
	if len(given) < 2 || len(given) > 12 {
		return false
	}
	if _, _, ok := cantoneseSyllables().divided(given); ok {
		return true
	}
	_, _, ok := wadeGiles().divided(given)
	return ok
}

// speltReadings are the readings in pinyin of a given name that is spelt so, as
// many as are kept of any.
func speltReadings(given string) (out []string) {
	if len(given) < 2 || len(given) > 12 || given[0] < 'a' || given[0] > 'z' {
		return nil
	}
	for _, m := range [...]spellings{cantoneseSyllables(), wadeGiles()} {
		heads, ends, _ := m.divided(given)
		for _, r := range crossed(heads, ends) {
			if r != given && !slices.Contains(out, r) && len(out) < maxReadings {
				out = append(out, r)
			}
		}
	}
	return out
}
