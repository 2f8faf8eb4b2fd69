package standardise

import (
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// tradeWords maps the written forms of what a company does to one word.
var tradeWords = sync.OnceValue(func() map[string]string {
	m := map[string]string{}
	for _, line := range []string{
		"tech: tech technology technologies techs technik", "solution: solution solutions soln solns", "system: system systems sys systeme", "manufacture: manufacturing mfg manufacture manufacturers manufacturer",
		"service: service services svcs svc", "international: international intl", "logistic: logistics logistic logistik", "consult: consulting consultants consultancy consult beratung conseil",
		"food: foods food", "industry: industries inds industry industrial ind industrie", "holding: holdings holding beteiligungs beteiligungen", "capital: capital", "partner: partners partner",
		"construction: construction constr constructions bau batiment", "engineering: engineering eng engrg engr engineers", "electronic: electronics electronic electr elektronik electronique", "software: software",
		"energy: energy energie", "health: healthcare health sante", "insurance: insurance ins", "supply: supply supplies", "marketing: marketing mktg", "media: media", "design: design designs", "group: group grp gruppe groupe",
		"associate: associates assoc associate", "enterprise: enterprises enterprise ent", "property: properties property realty immobilien immobilier", "transport: transport transportation transporte transports trans", "management: management mgmt mgt",
		"financial: financial finance fin", "security: security", "environment: environmental environment env", "pharma: pharmaceuticals pharma pharmaceutical", "medical: medical med medizintechnik", "dental: dental",
		"law: law legal", "lab: laboratories labs laboratory lab", "product: products product prod", "material: materials material", "trade: trading trade handel", "distribution: distribution distributors dist distributing distributor",
		"communication: communications communication comm", "network: networks network", "development: development dev developments", "research: research", "education: education educational", "automotive: automotive auto automobile automobiles",
		"machine: machinery machine machines maschinenbau", "chemical: chemicals chemical", "textile: textiles textile", "furniture: furniture mobel moebel", "print: printing print druck", "restaurant: restaurant restaurants restauration",
		"informatic: informatique", "metal: metallbau metals metal", "data: data", "digital: digital", "agriculture: agriculture agricultural agri", "packaging: packaging", "travel: travel tourism", "import: import export importexport importandexport", "chain: chain",
		"investment: investment investments invest", "hotel: hotel hotels", "advertising: advertising advertisement", "optic: optics optical optoelectronics", "jewel: jewelry jewellery", "plumb: plumbing", "roof: roofing", "landscape: landscaping",
		"electric: electric electrical", "bakery: bakery", "cleaning: cleaning", "account: accounting", "staffing: staffing", "automation: automation", "instrument: instruments instrument", "equipment: equipment equip",
		"cater: catering", "commerce: commerce", "new: new", "estate: estate", "real: real", "parts: parts", "sale: sales sale", "intelligent: intelligent", "information: information", "human: human", "resource: resources", "tourism: tourism", "wholesale: wholesale", "retail: retail", "biology: biotech biotechnology bio", "apparel: apparel garment garments clothing", "hr: hr humanresources", "ecommerce: ecommerce", "culture: culture cultural", "hardware: hardware", "decoration: decoration",
	} {
		one, forms, _ := strings.Cut(line, ": ")
		for f := range strings.FieldsSeq(forms) {
			m[f] = one
		}
	}
	return m
})

// hanTrades are the words for what a company does, as they end its name
// before the legal form, by their last character, longest first.
var hanTrades = sync.OnceValue(func() map[rune][]string {
	m := map[rune][]string{}
	for w := range strings.FieldsSeq(`科技 电子 机械 贸易 商贸 工贸 进出口 国际贸易 进出口贸易 企业管理咨询 企业管理 管理咨询 咨询 信息咨询 信息技术 信息科技 信息 技术 网络 网络科技 软件 数据 智能 智能科技 生物科技 生物 生物技术 医药 制药
药业 医疗 医疗器械 器械 健康 环保科技 环保 环境 能源 新能源 新能源科技 电力 电气 电器 光电 光电科技 通信 通讯 传媒 文化传媒 文化 文化传播 传播 广告 广告传媒 教育 教育科技 教育咨询 培训 投资 投资管理 资产管理 资产 金融 保险 置业 房地产 地产 房地产开发
开发 物业 物业管理 管理 建设 建设工程 建筑 建筑工程 工程 装饰 装饰工程 装修 建材 材料 新材料 新材料科技 化工 塑料 橡胶 纺织 服装 服饰 鞋业 皮具 家具 家居 食品 餐饮 餐饮管理 饮料 酒业 农业 农业发展 农业科技 发展 实业 工业 制造 重工 机电 机电设备
设备 自动化 自动化设备 仪器 仪表 精密 模具 五金 五金制品 制品 金属 金属制品 钢铁 汽车 汽车销售 汽车服务 汽配 销售 物流 供应链 供应链管理 运输 货运 航空 旅游 旅行社 酒店 酒店管理 人力资源 人力 服务 印刷 包装 包装印刷 纸业 珠宝 化妆品 日用品 玩具
仪器仪表 电气设备 包装材料 网络技术 电子商务 商务 电商 游戏 动漫 影视 体育 园林 园林绿化 绿化 水务 水产 牧业 林业 种业 矿业 石油 石化 医院 安防 安全 照明 半导体 集团 控股 团集 中心 工作室 厂 店 商行 经营部`) {
		r, _ := utf8.DecodeLastRuneInString(w)
		if !slices.Contains(m[r], w) {
			m[r] = append(m[r], w)
		}
	}
	for _, list := range m {
		slices.SortStableFunc(list, func(a, b string) int { return len(b) - len(a) })
	}
	return m
})
