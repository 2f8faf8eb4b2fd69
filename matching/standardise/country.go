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
	if c := countries.ByName(f); c != countries.Unknown {
		return c.Alpha2()
	}
	return ""
}
