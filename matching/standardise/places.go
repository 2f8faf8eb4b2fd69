package standardise

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

//go:embed divisions/china.txt
var chinaDivisions string

// Provinces and cities of China at prefecture level, short names (without 省,
// 市, 自治区), from the administrative divisions of the People's Republic.
const provinceList = `北京 天津 河北 山西 内蒙古 辽宁 吉林 黑龙江 上海 江苏 浙江 安徽 福建 江西 山东 河南 湖北 湖南 广东 广西 海南 重庆 四川 贵州 云南 西藏 陕西 甘肃 青海 宁夏 新疆 台湾 香港 澳门`

const cityList = `石家庄 唐山 秦皇岛 邯郸 邢台 保定 张家口 承德 沧州 廊坊 衡水 太原 大同 阳泉 长治 晋城 朔州 晋中 运城 忻州 临汾 吕梁 呼和浩特 包头 乌海 赤峰 通辽 鄂尔多斯 呼伦贝尔 巴彦淖尔 乌兰察布 沈阳 大连 鞍山 抚顺 本溪 丹东 锦州 营口
阜新 辽阳 盘锦 铁岭 朝阳 葫芦岛 长春 四平 辽源 通化 白山 松原 白城 延边 哈尔滨 齐齐哈尔 鸡西 鹤岗 双鸭山 大庆 伊春 佳木斯 七台河 牡丹江 黑河 绥化 南京 无锡 徐州 常州 苏州 南通 连云港 淮安 盐城 扬州 镇江 泰州 宿迁 杭州 宁波 温州 嘉兴 湖州 绍兴
金华 衢州 舟山 台州 丽水 合肥 芜湖 蚌埠 淮南 马鞍山 淮北 铜陵 安庆 黄山 滁州 阜阳 宿州 六安 亳州 池州 宣城 福州 厦门 莆田 三明 泉州 漳州 南平 龙岩 宁德 南昌 景德镇 萍乡 九江 新余 鹰潭 赣州 吉安 宜春 抚州 上饶 济南 青岛 淄博 枣庄 东营 烟台 潍坊
济宁 泰安 威海 日照 临沂 德州 聊城 滨州 菏泽 郑州 开封 洛阳 平顶山 安阳 鹤壁 新乡 焦作 濮阳 许昌 漯河 三门峡 南阳 商丘 信阳 周口 驻马店 武汉 黄石 十堰 宜昌 襄阳 鄂州 荆门 孝感 荆州 黄冈 咸宁 随州 恩施 长沙 株洲 湘潭 衡阳 邵阳 岳阳 常德 张家界
益阳 郴州 永州 怀化 娄底 湘西 广州 韶关 深圳 珠海 汕头 佛山 江门 湛江 茂名 肇庆 惠州 梅州 汕尾 河源 阳江 清远 东莞 中山 潮州 揭阳 云浮 南宁 柳州 桂林 梧州 北海 防城港 钦州 贵港 玉林 百色 贺州 河池 来宾 崇左 海口 三亚 成都 自贡 攀枝花 泸州 德阳
绵阳 广元 遂宁 内江 乐山 南充 眉山 宜宾 广安 达州 雅安 巴中 资阳 贵阳 六盘水 遵义 安顺 毕节 铜仁 昆明 曲靖 玉溪 保山 昭通 丽江 普洱 临沧 大理 拉萨 日喀则 西安 铜川 宝鸡 咸阳 渭南 延安 汉中 榆林 安康 商洛 兰州 嘉峪关 金昌 白银 天水 武威 张掖 平凉
酒泉 庆阳 定西 陇南 西宁 海东 银川 石嘴山 吴忠 固原 中卫 乌鲁木齐 克拉玛依 吐鲁番 哈密 义乌 昆山 江阴 张家港 常熟 太仓 晋江 台北 高雄 台中 新北 九龙 浦东`

// furtherCities are known in Chinese addresses; in a company's name only with
// their level, for without it they may be the brand.
const furtherCities = `锡林郭勒 阿拉善 济源 神农架 儋州 甘孜 凉山 黔西南 黔东南 黔南 楚雄 西双版纳 德宏 怒江 迪庆 昌都 林芝 那曲 临夏 甘南 昌吉 博尔塔拉 巴音郭楞 阿克苏 克孜勒苏 喀什 伊犁 塔城 阿勒泰 石河子 阿拉尔 图木舒克 五家渠 台南 基隆 新竹 苗栗 彰化 南投 屏东 花莲 台东 澎湖`

// levelledCities are words of other meaning too: they are places only with
// their level (市, 地区, 自治州) behind them.
const levelledCities = `兴安 阿坝 红河 文山 山南 阿里 海北 黄南 果洛 玉树 海西 和田 仙桃 潜江 天门 三沙 五指山 琼海 文昌 万宁 东方 桃园 嘉义 云林 宜兰 北屯 铁门关 双河 可克达拉 昆玉 胡杨河 新星 白杨`

// countyCities are cities of the list that lie in another.
const countyCities = `义乌 金华,昆山 苏州,江阴 无锡,张家港 苏州,常熟 苏州,太仓 苏州,晋江 泉州,九龙 香港,浦东 上海`

// hanPlaceEntry is a province or city as it begins a text.
type hanPlaceEntry struct {
	text           string
	province, city bool
	levelled       bool   // a place only with its level
	address        bool   // without its level a place only in an address
	parent         string // of a city within a city
}

// divisions is what is known of the places of China.
type divisions struct {
	entries   map[rune][]hanPlaceEntry // by first character, longest first
	named     map[string]hanPlaceEntry
	provinces map[string]string     // province of a city
	districts map[rune][]*district  // by first character, longest first
	full      map[string]*district  // by full name
	cities    map[string]districtIn // county-level cities by bare name; only those of one place
}

type district struct {
	full, bare string
	in         []districtIn
}

type districtIn struct{ province, city string }

var china = sync.OnceValue(func() *divisions {
	d := &divisions{map[rune][]hanPlaceEntry{}, map[string]hanPlaceEntry{}, map[string]string{}, map[rune][]*district{}, map[string]*district{}, map[string]districtIn{}}
	for p := range strings.FieldsSeq(provinceList) {
		d.named[p] = hanPlaceEntry{text: p, province: true}
	}
	for _, list := range []string{cityList, furtherCities, levelledCities} {
		for c := range strings.FieldsSeq(list) {
			e := d.named[c]
			e.text, e.city, e.levelled, e.address = c, true, list == levelledCities, list == furtherCities
			d.named[c] = e
		}
	}
	for pair := range strings.SplitSeq(countyCities, ",") {
		c, parent, _ := strings.Cut(pair, " ")
		e := d.named[c]
		e.parent = parent
		d.named[c] = e
	}
	d.readDistricts()
	for _, e := range d.named {
		r, _ := utf8.DecodeRuneInString(e.text)
		d.entries[r] = append(d.entries[r], e)
	}
	for _, list := range d.entries {
		slices.SortFunc(list, func(a, b hanPlaceEntry) int { return longerFirst(a.text, b.text) })
	}
	for _, list := range d.districts {
		slices.SortFunc(list, func(a, b *district) int { return longerFirst(a.full, b.full) })
	}
	return d
})

func longerFirst(a, b string) int {
	if len(a) != len(b) {
		return len(b) - len(a)
	}
	return strings.Compare(a, b)
}

func (d *divisions) readDistricts() {
	for line := range strings.Lines(chinaDivisions) {
		province, rest, _ := strings.Cut(strings.TrimSpace(line), "\t")
		city, list, _ := strings.Cut(rest, "\t")
		if _, ok := d.provinces[city]; !ok {
			d.provinces[city] = province
		}
		for full := range strings.FieldsSeq(list) {
			x := d.full[full]
			if x == nil {
				r, _ := utf8.DecodeRuneInString(full)
				x = &district{full: full, bare: bareDistrict(full)}
				d.full[full] = x
				d.districts[r] = append(d.districts[r], x)
			}
			x.in = append(x.in, districtIn{province, city})
		}
	}
	for full, x := range d.full {
		if bare, ok := strings.CutSuffix(full, "市"); ok && len(x.in) == 1 && x.in[0].city != bare && !d.named[bare].city {
			d.cities[bare] = x.in[0]
		}
	}
	for pair := range strings.SplitSeq(countyCities, ",") {
		c, parent, _ := strings.Cut(pair, " ")
		d.provinces[c] = d.provinces[parent]
	}
}

// hanPlaceRoman maps pinyin to a place: Beijing, Xian, Shaanxi …
var hanPlaceRoman = sync.OnceValue(func() map[string]string {
	m := map[string]string{}
	for _, list := range []string{cityList, provinceList} { // a province wins over a city of the same reading
		taken := map[string]bool{} // of cities with one reading the first: 苏州 before 宿州, 福州 before 抚州
		for p := range strings.FieldsSeq(list) {
			if r := Roman(p); !taken[r] {
				m[r], taken[r] = p, true
			}
		}
	}
	m["shaanxi"], m["chongqing"], m["xiamen"], m["hongkong"], m["taipei"], m["macau"] = "陕西", "重庆", "厦门", "香港", "台北", "澳门"
	m["neimenggu"], m["innermongolia"], m["tibet"], m["xizang"], m["macao"], m["kaohsiung"], m["taichung"] = "内蒙古", "内蒙古", "西藏", "西藏", "澳门", "高雄", "台中"
	return m
})

func set(words string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}

// hanPlace takes a Chinese place from the start of s: the place without its
// level (省, 市 …) and how many bytes it took; 0 when there is none.
func hanPlace(s string) (string, int) { return placeAt(s, false) }

func placeAt(s string, address bool) (string, int) {
	r, size := utf8.DecodeRuneInString(s)
	if size < 3 {
		return "", 0
	}
	for _, e := range china().entries[r] {
		if !strings.HasPrefix(s, e.text) {
			continue
		}
		n := levelLen(s[len(e.text):])
		if n == 0 && otherWord(s) {
			continue
		}
		if n == 0 && (e.levelled || e.address && !address) {
			continue
		}
		return e.text, len(e.text) + n
	}
	return "", 0
}

// otherWord says whether s begins with a word that is longer than the place
// within it: marble, Hokkaido, a sandwich, a gate of Beijing.
func otherWord(s string) bool {
	for _, w := range [...]string{"大理石", "北海道", "三明治", "普洱茶", "哈密瓜", "朝阳门", "广安门", "中山装"} {
		if strings.HasPrefix(s, w) {
			return true
		}
	}
	return false
}

// levelLen is the length in bytes of the level that s begins with.
func levelLen(s string) int {
	r, n := utf8.DecodeRuneInString(s)
	switch r {
	case '省', '市', '盟':
		return n
	case '地':
		return prefixLen(s, "地区")
	case '林':
		return prefixLen(s, "林区")
	case '新':
		return prefixLen(s, "新区")
	case '自':
		return max(prefixLen(s, "自治区"), prefixLen(s, "自治州"))
	case '特':
		return prefixLen(s, "特别行政区")
	}
	for _, l := range [...]string{"壮族自治区", "回族自治区", "维吾尔自治区"} {
		if k := prefixLen(s, l); k > 0 {
			return k
		}
	}
	const state = "自治州" // 延边朝鲜族自治州
	if i := strings.Index(s[:min(len(s), 36)], state); i > 0 && peoples(s[:i]) {
		return i + len(state)
	}
	return 0
}

func peoples(s string) bool {
	return strings.HasSuffix(s, "族") || s == "蒙古" || s == "哈萨克" || s == "柯尔克孜"
}

func prefixLen(s, w string) int {
	if strings.HasPrefix(s, w) {
		return len(w)
	}
	return 0
}

// hanDistrict takes a district, county or county-level city in full (朝阳区,
// 长兴县, 慈溪市) of three characters or more from the start of s: its bare name
// and how many bytes it took.
func hanDistrict(s string) (string, int) {
	r, size := utf8.DecodeRuneInString(s)
	if size < 3 {
		return "", 0
	}
	for _, d := range china().districts[r] {
		if len(d.full) >= 9 && strings.HasPrefix(s, d.full) {
			return d.bare, len(d.full)
		}
	}
	return "", 0
}

// WithinPlace says whether one of two Chinese places, as a name has them, lies in
// the other.
func WithinPlace(a, b string) bool {
	if a == "CN" || b == "CN" {
		return inChina(a) && inChina(b)
	}
	if a == "" || b == "" {
		return false
	}
	around := placesAround()
	p, q := around[a], around[b]
	return p[0] == b || p[1] == b || p[2] == b || q[0] == a || q[1] == a || q[2] == a
}

// placesAround are what a place lies in: its province, its city and the province of
// that, each "" where there is none.
var placesAround = sync.OnceValue(func() map[string][3]string {
	d, m := china(), map[string][3]string{}
	add := func(place string) {
		p := [3]string{d.provinces[place]}
		if in, ok := cityWithin(place); ok {
			p[1], p[2] = in, d.provinces[in]
		}
		m[place] = p
	}
	for place := range d.provinces {
		add(place)
	}
	for place := range d.named {
		add(place)
	}
	for place := range d.cities {
		add(place)
	}
	return m
})

// OneReading says whether two Chinese places are read alike.
func OneReading(a, b string) bool {
	r := placeReadings()
	return r[a] != "" && r[a] == r[b]
}

var placeReadings = sync.OnceValue(func() map[string]string {
	m := map[string]string{}
	for _, list := range []string{provinceList, cityList} {
		for p := range strings.FieldsSeq(list) {
			m[p] = Roman(p)
		}
	}
	return m
})

// chinaCity gives a city or province of China that is written in Latin letters
// its Chinese name: Shanghai, Hangzhou City, Xi'an. province, in Chinese where it
// is known, tells cities of one reading apart; anything else comes back as it is.
func chinaCity(s, province string) string {
	if s == "" || HasHan(s) {
		return s
	}
	bare := s
	for _, w := range [...]string{" city", " shi", " province", " sheng", " municipality"} {
		bare = strings.TrimSuffix(bare, w)
	}
	bare = squash(bare)
	if province != "" {
		for _, p := range hanSameReading()[bare] {
			if china().provinces[p] == province {
				return p
			}
		}
	}
	if p, ok := hanPlaceRoman()[bare]; ok {
		return p
	}
	return s
}

// hanSameReading are the cities of a reading that several have.
var hanSameReading = sync.OnceValue(func() map[string][]string {
	m := map[string][]string{}
	for c := range strings.FieldsSeq(cityList) {
		m[Roman(c)] = append(m[Roman(c)], c)
	}
	for r, cities := range m {
		if len(cities) < 2 {
			delete(m, r)
		}
	}
	return m
})
