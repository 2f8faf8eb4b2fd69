package standardise

import (
	"strings"
	"unicode/utf8"
)

// setDistrict folds a district and takes its level off: 浦东新区 → 浦东. Where
// the district lies in one city only, that follows.
func (a *Address) setDistrict(s string) {
	s = Fold(s)
	if s == "" || !HasHan(s) {
		a.District = s
		return
	}
	s = squash(s)
	a.District = bareDistrict(s)
	a.follow(s)
}

// follow takes city and province from a district's full name, where only one
// district of the name can be meant.
func (a *Address) follow(full string) {
	if a.City != "" {
		return
	}
	d := china().full[full]
	if d == nil {
		return
	}
	hit := districtIn{}
	for _, in := range d.in {
		if a.Region != "" && a.Region != in.province {
			continue
		}
		if hit.city != "" {
			return
		}
		hit = in
	}
	a.City = hit.city
	if a.Region == "" {
		a.Region = hit.province
	}
}

func bareDistrict(s string) string {
	for _, w := range [...]string{"自治县", "新区", "区", "县", "市", "旗"} {
		if head, ok := strings.CutSuffix(s, w); ok && utf8.RuneCountInString(head) >= 2 {
			return head
		}
	}
	return s
}

// hanLine reads 江苏省南京市江宁区解放路558号17栋117 level by level. A level that
// is not written follows from the one below where that is known; else it stays
// unknown.
func (a *Address) hanLine(line string) {
	var buf [fastOut]byte
	s := string(foldedIn(buf[:0], line, numbers))
	s = digitsOf(a.hanPostcode(s))
	for range 4 { // 江苏省 苏州市 昆山市 …
		p, n := placeAt(s, true)
		if n == 0 || n == len(s) || isStreetType(s[n:]) { // 南京路 is a street, not a city
			break
		}
		if n == len(p) && (strings.HasPrefix(s[n:], "区") || strings.HasPrefix(s[n:], "县")) { // 朝阳区 is not the city of 朝阳
			break
		}
		if n == len(p) && a.elsewhere(p) { // 上海市黄山新村 is not in 黄山
			break
		}
		a.setPlace(p)
		s = strings.TrimLeft(s[n:], " ")
	}
	s = a.cutDistrict(s)
	a.settleLevels()
	end := 0
	for end < len(s) && !isDigit(s[end]) {
		end++
	}
	a.Street = squash(s[:end])
	a.hanNumbers(s[end:])
}

// cutDistrict takes the district off: one that is known, or up to the first 区
// or 县 that is not part of another word.
func (a *Address) cutDistrict(s string) string {
	full := ""
	if _, n := hanDistrict(s); n > 0 {
		full = s[:n]
	} else {
		prev, count := rune(0), 0
		for i, r := range s {
			if count >= 8 {
				break
			}
			if count > 0 && (r == '区' || r == '县') && !notDistrict(prev) {
				full = s[:i+len("区")]
				break
			}
			prev = r
			count++
		}
	}
	if full == "" {
		return s
	}
	if a.District == "" {
		a.District = bareDistrict(full)
		a.follow(full)
	}
	return s[len(full):]
}

// notDistrict: 小区, 社区, 工业区, 住宅区, 库区, 校区.
func notDistrict(before rune) bool {
	switch before {
	case '小', '社', '业', '宅', '库', '校':
		return true
	}
	return false
}

// isStreetType: a word for a street stands first or second.
func isStreetType(s string) bool {
	for range 2 {
		r, n := utf8.DecodeRuneInString(s)
		if r == '路' || r == '街' || r == '道' {
			return true
		}
		s = s[n:]
	}
	return false
}

// hanNumbers takes digits and single letters: 163号B座2367室 → 163, b, 2367. The
// F of a floor goes: 3F is 3层.
func (a *Address) hanNumbers(s string) {
	var buf [maxUnits + 1]string
	nums := buf[:0]
	for i := 0; i < len(s) && len(nums) < len(buf); {
		j := i
		for j < len(s) && isDigit(s[j]) {
			j++
		}
		if j > i {
			nums = append(nums, s[i:j])
			i = j
			if i < len(s) && s[i] == 'f' && !isLetter(s, i+1) {
				i++
			}
			continue
		}
		if isLetter(s, i) && !isLetter(s, i-1) && !isLetter(s, i+1) { // B座, not SOHO
			nums = append(nums, s[i:i+1])
		}
		i++
	}
	a.setNumbers(nums)
}

func isLetter(s string, i int) bool { return i >= 0 && i < len(s) && s[i] >= 'a' && s[i] <= 'z' }

// hanPostcode takes "邮编100020" or six leading digits off.
func (a *Address) hanPostcode(s string) string {
	if i := strings.Index(s, "邮编"); i >= 0 {
		rest := strings.TrimLeft(s[i+len("邮编"):], " ")
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
		return strings.TrimLeft(s[6:], " ")
	}
	return s
}

func leadingDigits(s string) int {
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	return n
}

// elsewhere says whether a place is known to lie in another province than the
// address does.
func (a *Address) elsewhere(p string) bool {
	d := china()
	in := a.Region
	if !d.named[in].province {
		in = d.provinces[a.City]
	}
	own := d.provinces[p]
	return in != "" && own != "" && own != in && p != in && !d.named[p].province
}

// setPlace puts a known place at the highest free level it can be.
func (a *Address) setPlace(p string) {
	e := china().named[p]
	switch {
	case e.parent != "":
		if a.District == "" {
			a.District = p
		}
		if a.City == "" {
			a.City = e.parent
		}
	case e.province && a.Region == "" && !e.city:
		a.Region = p
	case a.City == "" && (!e.province || e.city):
		a.City = p
	case a.City != p && a.Region != p && a.District == "" && e.city:
		a.District = p // a city within the city
	}
}

// settleLevels fills the levels that follow: a municipality is its own city, a
// city within a city is a district of it, and a city lies in its province.
func (a *Address) settleLevels() {
	if a.City == "" && municipality(a.Region) {
		a.City = a.Region
	}
	if in, ok := cityWithin(a.City); ok {
		if a.District == "" || a.District == a.City {
			a.District, a.City = a.City, in
		}
	}
	if a.Region == "" {
		if municipality(a.City) {
			a.Region = a.City
		} else {
			a.Region = china().provinces[a.City]
		}
	}
}

// cityWithin gives the city that a county-level city lies in.
func cityWithin(city string) (string, bool) {
	if city == "" {
		return "", false
	}
	d := china()
	if e := d.named[city]; e.text != "" {
		return e.parent, e.parent != ""
	}
	in, ok := d.cities[city]
	return in.city, ok
}

func municipality(p string) bool {
	switch p {
	case "北京", "天津", "上海", "重庆", "香港", "澳门":
		return true
	}
	return false
}
