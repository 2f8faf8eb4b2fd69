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
	case "中国", "中华人民共和国", "china", "prc", "中国大陆":
		return "CN"
	case "台湾", "中国台湾":
		return "TW"
	case "香港", "中国香港":
		return "HK"
	case "澳门":
		return "MO"
	case "美国", "usa", "us":
		return "US"
	case "英国", "uk", "england", "scotland", "wales":
		return "GB"
	case "德国", "deutschland":
		return "DE"
	case "法国":
		return "FR"
	case "日本":
		return "JP"
	case "韩国":
		return "KR"
	case "新加坡":
		return "SG"
	case "加拿大":
		return "CA"
	case "澳大利亚":
		return "AU"
	case "意大利":
		return "IT"
	case "西班牙":
		return "ES"
	case "荷兰":
		return "NL"
	case "瑞士":
		return "CH"
	}
	if code := hanCountry(f); code != "" {
		return code
	}
	if c := countries.ByName(f); c != countries.Unknown {
		if code := c.Alpha2(); len(code) == 2 { // the library also knows "none" and "all"
			return code
		}
	}
	return ""
}

// hanCountry knows the Chinese names of further countries.
func hanCountry(s string) string {
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
	case "巴西":
		return "BR"
	case "墨西哥":
		return "MX"
	case "奥地利":
		return "AT"
	case "比利时":
		return "BE"
	case "瑞典":
		return "SE"
	case "挪威":
		return "NO"
	case "丹麦":
		return "DK"
	case "芬兰":
		return "FI"
	case "波兰":
		return "PL"
	case "葡萄牙":
		return "PT"
	case "爱尔兰":
		return "IE"
	case "土耳其":
		return "TR"
	case "阿联酋", "阿拉伯联合酋长国":
		return "AE"
	case "南非":
		return "ZA"
	}
	return ""
}
