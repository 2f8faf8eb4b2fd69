package standardise

import "github.com/biter777/countries"

// Country gives the ISO 3166 alpha-2 code for a code or a name in English or
// Chinese; "" when it is not known.
func Country(s string) string {
	if len(s) == 2 && s[0] >= 'A' && s[0] <= 'Z' && s[1] >= 'A' && s[1] <= 'Z' && s != "UK" {
		return s
	}
	f := Fold(s)
	switch f {
	case "":
		return ""
	case "中国", "中华人民共和国", "china", "prc", "p r china", "pr china", "peoples republic of china", "the peoples republic of china", "mainland china", "中国大陆":
		return "CN"
	case "台湾", "中国台湾", "中华民国", "台湾省", "taiwan province of china":
		return "TW"
	case "香港", "中国香港", "香港特别行政区", "hong kong sar", "hong kong sar china", "hong kong china":
		return "HK"
	case "澳门", "中国澳门", "澳门特别行政区", "macao sar", "macau sar":
		return "MO"
	case "美国", "usa", "us", "america", "u s", "u s a", "美利坚合众国":
		return "US"
	case "英国", "uk", "england", "scotland", "wales", "united kingdom of great britain and northern ireland", "大不列颠及北爱尔兰联合王国":
		return "GB"
	case "德国", "deutschland":
		return "DE"
	case "法国":
		return "FR"
	case "日本":
		return "JP"
	case "韩国", "大韩民国":
		return "KR"
	case "新加坡":
		return "SG"
	case "加拿大":
		return "CA"
	case "澳大利亚":
		return "AU"
	case "意大利", "italia", "italien", "italie":
		return "IT"
	case "西班牙", "espana", "spanien", "espagne", "spagna":
		return "ES"
	case "荷兰", "the netherlands", "nederland", "niederlande", "pays bas":
		return "NL"
	case "瑞士", "schweiz", "suisse", "svizzera":
		return "CH"
	}
	if code := otherCountry(f); code != "" {
		return code
	}
	if c := countries.ByName(f); c != countries.Unknown {
		if code := c.Alpha2(); len(code) == 2 { // the library also knows "none" and "all"
			return code
		}
	}
	return ""
}

// otherCountry knows the Chinese names of further countries, and what they are
// called by themselves and their neighbours where the library does not know it.
func otherCountry(s string) string {
	switch s {
	case "俄罗斯", "俄国":
		return "RU"
	case "印度":
		return "IN"
	case "印度尼西亚", "印尼":
		return "ID"
	case "马来西亚":
		return "MY"
	case "泰国":
		return "TH"
	case "越南":
		return "VN"
	case "菲律宾":
		return "PH"
	case "新西兰":
		return "NZ"
	case "巴西", "brasil", "brasilien":
		return "BR"
	case "墨西哥":
		return "MX"
	case "奥地利", "osterreich", "oesterreich", "autriche":
		return "AT"
	case "比利时", "belgie", "belgique", "belgien":
		return "BE"
	case "瑞典", "sverige", "schweden":
		return "SE"
	case "挪威", "norge", "norwegen":
		return "NO"
	case "丹麦", "danmark", "danemark":
		return "DK"
	case "芬兰", "suomi", "finnland":
		return "FI"
	case "波兰", "polska", "polen":
		return "PL"
	case "葡萄牙":
		return "PT"
	case "爱尔兰":
		return "IE"
	case "土耳其", "turkiye", "turkei", "tuerkei":
		return "TR"
	case "阿联酋", "阿拉伯联合酋长国":
		return "AE"
	case "南非":
		return "ZA"
	case "阿根廷":
		return "AR"
	case "智利":
		return "CL"
	case "哥伦比亚":
		return "CO"
	case "秘鲁":
		return "PE"
	case "埃及":
		return "EG"
	case "以色列":
		return "IL"
	case "沙特阿拉伯", "沙特":
		return "SA"
	case "伊朗":
		return "IR"
	case "伊拉克":
		return "IQ"
	case "巴基斯坦":
		return "PK"
	case "孟加拉国", "孟加拉":
		return "BD"
	case "斯里兰卡":
		return "LK"
	case "尼泊尔":
		return "NP"
	case "缅甸":
		return "MM"
	case "柬埔寨":
		return "KH"
	case "老挝":
		return "LA"
	case "蒙古", "蒙古国":
		return "MN"
	case "朝鲜":
		return "KP"
	case "哈萨克斯坦":
		return "KZ"
	case "乌兹别克斯坦":
		return "UZ"
	case "乌克兰":
		return "UA"
	case "捷克", "ceska republika", "cesko", "tschechien":
		return "CZ"
	case "斯洛伐克":
		return "SK"
	case "匈牙利", "magyarorszag", "ungarn":
		return "HU"
	case "罗马尼亚", "romania":
		return "RO"
	case "保加利亚":
		return "BG"
	case "希腊", "griechenland":
		return "GR"
	case "卢森堡":
		return "LU"
	case "尼日利亚":
		return "NG"
	case "肯尼亚":
		return "KE"
	case "摩洛哥":
		return "MA"
	}
	return ""
}
