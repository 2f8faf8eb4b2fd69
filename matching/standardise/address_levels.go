package standardise

import (
	"strings"
	"sync"
)

// districtName folds a district and takes its level off: 浦东新区 → 浦东.
func districtName(s string) string {
	s = Fold(s)
	if !HasHan(s) {
		return s
	}
	return bareDistrict(squash(s))
}

func bareDistrict(s string) string {
	for _, w := range [...]string{"自治县", "新区", "区", "县", "市", "旗"} {
		if head, ok := strings.CutSuffix(s, w); ok && len([]rune(head)) >= 2 {
			return head
		}
	}
	return s
}

// hanLine reads 江苏省南京市江宁区解放路558号17栋117 level by level. A level that
// is not written follows from the one below where that is known; else it stays
// unknown.
func (a *Address) hanLine(line string) {
	s := simplify(letters(line))
	s = strings.ReplaceAll(s, " ", "")
	s = a.hanPostcode(s)
	rs := []rune(digitsOf(squash(s)))
	for range 4 { // 江苏省 苏州市 昆山市 …
		p, n := hanPlace(rs)
		if n == 0 || n == len(rs) || isStreetType(rs, n) { // 南京路 is a street, not a city
			break
		}
		if n == len([]rune(p)) && (rs[n] == '区' || rs[n] == '县') { // 朝阳区 is not the city of 朝阳
			break
		}
		a.setPlace(p)
		rs = rs[n:]
	}
	a.settleLevels()
	for i := 1; i < min(8, len(rs)); i++ {
		if (rs[i] == '区' || rs[i] == '县') && !strings.ContainsRune("小社业宅库校", rs[i-1]) {
			if a.District == "" {
				a.District = bareDistrict(string(rs[:i+1]))
			}
			rs = rs[i+1:]
			break
		}
	}
	end := 0
	for end < len(rs) && (rs[end] < '0' || rs[end] > '9') {
		end++
	}
	a.Street = squash(spaced(string(rs[:end])))
	a.numbers(rs[end:])
}

// hanPostcode takes "邮编100020" or six leading digits off.
func (a *Address) hanPostcode(s string) string {
	if i := strings.Index(s, "邮编"); i >= 0 {
		rest := strings.TrimLeft(s[i+len("邮编"):], ":： ")
		if leadingDigits(rest) == 6 {
			if a.Postcode == "" {
				a.Postcode = rest[:6]
			}
			return s[:i] + rest[6:]
		}
		return s
	}
	if leadingDigits(s) == 6 && len(s) > 6 {
		if a.Postcode == "" {
			a.Postcode = s[:6]
		}
		return s[6:]
	}
	return s
}

func leadingDigits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

// setPlace puts a known place at the highest free level it can be.
func (a *Address) setPlace(p string) {
	switch {
	case hanProvinces()[p] && a.Region == "" && !hanCities()[p]:
		a.Region = p
	case p == "浦东":
		if a.District == "" {
			a.District = p
		}
	case a.City == "" && !hanProvinces()[p]:
		a.City = p
	case a.City == "" && hanCities()[p]:
		a.City = p
	case a.City != p && a.Region != p && a.District == "" && hanCities()[p]:
		a.District = p // a city within the city: 苏州市昆山市
	}
}

// settleLevels fills the levels that follow: a municipality is its own city, and
// a city lies in its province.
func (a *Address) settleLevels() {
	if a.City == "" && municipality(a.Region) {
		a.City = a.Region
	}
	if a.Region == "" {
		if municipality(a.City) {
			a.Region = a.City
		} else {
			a.Region = cityProvinces()[a.City]
		}
	}
}

func municipality(p string) bool {
	switch p {
	case "北京", "天津", "上海", "重庆", "香港", "澳门":
		return true
	}
	return false
}

// cityProvinces maps each city of the list to its province. The list stands in
// the order of provinces; each begins with its capital.
var cityProvinces = sync.OnceValue(func() map[string]string {
	starts := map[string]string{}
	for _, p := range strings.Split(`石家庄 河北,太原 山西,呼和浩特 内蒙古,沈阳 辽宁,长春 吉林,哈尔滨 黑龙江,南京 江苏,杭州 浙江,合肥 安徽,福州 福建,南昌 江西,济南 山东,郑州 河南,武汉 湖北,长沙 湖南,广州 广东,南宁 广西,海口 海南,成都 四川,贵阳 贵州,昆明 云南,拉萨 西藏,西安 陕西,兰州 甘肃,西宁 青海,银川 宁夏,乌鲁木齐 新疆,义乌 浙江,昆山 江苏,晋江 福建,台北 台湾,九龙 香港,浦东 上海`, ",") {
		city, province, _ := strings.Cut(p, " ")
		starts[city] = province
	}
	m := map[string]string{}
	province := ""
	for city := range strings.FieldsSeq(cityList) {
		if p, ok := starts[city]; ok {
			province = p
		}
		m[city] = province
	}
	return m
})

// tail is what the end of a one-line Latin address holds.
type tail struct{ line, city, region, postcode, country string }

// latinTail takes country, postcode, state and city off the end of "12 Oak St,
// Apt 4, Boston, MA 02101, USA", "5 High Street, London SW1A 1AA" or
// "Bergstraße 26, 10115 Berlin".
func latinTail(line string) tail {
	parts := strings.Split(line, ",")
	t := tail{line: line}
	take := func() string {
		last := strings.TrimSpace(parts[len(parts)-1])
		parts = parts[:len(parts)-1]
		return last
	}
	if n := len(parts); n > 2 {
		if c := Country(strings.TrimSpace(parts[n-1])); c != "" && leadingDigits(strings.TrimSpace(parts[n-1])) == 0 {
			t.country = c
			take()
		}
	}
	if n := len(parts); n > 1 {
		words := strings.Fields(parts[n-1])
		switch k := len(words); {
		case k == 2 && len(words[0]) == 2 && isZIP(words[1]) && n > 2: // MA 02101
			t.region, t.postcode = words[0], words[1]
			take()
		case k >= 2 && leadingDigits(words[0]) == len(words[0]) && (len(words[0]) == 5 || len(words[0]) == 4) && !hasDigit(strings.Join(words[1:], "")):
			t.postcode, t.city = words[0], strings.Join(words[1:], " ")
			take()
		case k >= 2 && isUKPostcode(words[k-2], words[k-1]):
			t.postcode, t.city = words[k-2]+words[k-1], strings.Join(words[:k-2], " ")
			take()
		}
	}
	if n := len(parts); t.city == "" && n > 1 && !hasDigit(parts[n-1]) {
		t.city = take()
	}
	t.postcode = strings.ToLower(idValue(t.postcode))
	t.line = strings.Join(parts, ",")
	return t
}

func isZIP(s string) bool {
	return leadingDigits(s) == 5 && (len(s) == 5 || len(s) == 10 && s[5] == '-' && leadingDigits(s[6:]) == 4)
}

// isUKPostcode: SW1A 1AA, N1 9DZ.
func isUKPostcode(out, in string) bool {
	letter := func(c byte) bool { return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' }
	return len(in) == 3 && leadingDigits(in) == 1 && letter(in[1]) && letter(in[2]) &&
		len(out) >= 2 && len(out) <= 4 && letter(out[0]) && (leadingDigits(out[1:]) > 0 || letter(out[1]) && leadingDigits(out[2:]) > 0)
}
