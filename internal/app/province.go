package app

import (
	"strings"

	"touchstone/matching/standardise"
)

// provinceCode gives the GB/T 2260 code of a Chinese province by its name in
// Chinese or in Latin letters; "" for any other place.
func provinceCode(name string) string {
	s := strings.ReplaceAll(standardise.Fold(name), " ", "")
	for _, end := range []string{"维吾尔自治区", "壮族自治区", "回族自治区", "特别行政区", "自治区", "省", "市", "province", "municipality", "autonomousregion", "sar"} {
		if rest, ok := strings.CutSuffix(s, end); ok && rest != "" {
			s = rest
			break
		}
	}
	for code, names := range provinceNames() {
		for _, n := range strings.Fields(names) {
			if n == s {
				return code
			}
		}
	}
	return ""
}

// provinceNames are the provinces by GB/T 2260 code, folded.
func provinceNames() map[string]string {
	return map[string]string{
		"11": "北京 beijing bj", "12": "天津 tianjin tj", "13": "河北 hebei", "14": "山西 shanxi", "15": "内蒙古 neimenggu innermongolia neimongol",
		"21": "辽宁 liaoning", "22": "吉林 jilin", "23": "黑龙江 heilongjiang", "31": "上海 shanghai sh", "32": "江苏 jiangsu", "33": "浙江 zhejiang",
		"34": "安徽 anhui", "35": "福建 fujian", "36": "江西 jiangxi", "37": "山东 shandong", "41": "河南 henan", "42": "湖北 hubei", "43": "湖南 hunan",
		"44": "广东 guangdong", "45": "广西 guangxi", "46": "海南 hainan", "50": "重庆 chongqing cq", "51": "四川 sichuan", "52": "贵州 guizhou",
		"53": "云南 yunnan", "54": "西藏 xizang tibet", "61": "陕西 shaanxi", "62": "甘肃 gansu", "63": "青海 qinghai", "64": "宁夏 ningxia",
		"65": "新疆 xinjiang", "71": "台湾 taiwan", "81": "香港 hongkong", "82": "澳门 aomen macao macau",
	}
}
