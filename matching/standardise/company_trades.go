package standardise

import (
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// hanTradeWords says in the words of tradeWords what the parts of Chinese trades
// mean; 网络科技 is 网络 and 科技.
var hanTradeWords = sync.OnceValue(func() map[string][]string {
	m := map[string][]string{}
	for line := range strings.Lines(`科技 技术=tech
电子=electronic
机械 重工 机电=machine
贸易 国际贸易=trade
商贸=commerce trade
工贸=industry trade
进出口=import
咨询=consult
信息=information
网络=network
软件=software
数据=data
智能=intelligent
生物=biology
医药 制药 药业=pharma
医疗 器械 医院=medical
健康=health
环保 环境=environment
新能源=new energy
能源=energy
电力 电气 电器=electric
光电=optic electronic
通信 通讯=communication
传播=communication media
传媒=media communication
文化=culture
广告=advertising
教育 培训=education
投资=investment
资产=capital property
金融=financial
保险=insurance
置业 地产 物业=property estate
房地产=real estate property
开发 发展=development
管理=management
企业=enterprise
建设 建筑=construction
工程=engineering
装饰 装修=decoration
建材=material construction
材料=material
新材料=new material
化工=chemical
塑料 橡胶=chemical material
纺织=textile
服装 服饰 鞋业=apparel
皮具=apparel
家具 家居=furniture
食品=food
饮料 酒业=food
餐饮=cater restaurant
农业 牧业 林业 种业=agriculture
实业 工业=industry
制造=manufacture
设备=equipment
自动化=automation
仪器 仪表=instrument
精密=machine instrument
模具 五金=hardware metal
制品=product
金属 钢铁=metal
汽车 汽配=automotive
销售=sale
物流 货运=logistic transport
运输=transport logistic
供应链=supply chain
航空=transport
旅游 旅行社=tourism travel
酒店=hotel
人力资源 人力=human resource hr staffing
服务=service
印刷=print
包装=packaging
珠宝=jewel
电子商务 电商=ecommerce commerce electronic
商务=commerce
园林 绿化=landscape
安防 安全=security
照明=electric
半导体=electronic
国际=international
`) {
		han, words, _ := strings.Cut(strings.TrimSpace(line), "=")
		for w := range strings.FieldsSeq(han) {
			m[w] = strings.Fields(words)
		}
	}
	return m
})

// tradeClasses numbers the words that tradeWords gives.
var tradeClasses = sync.OnceValue(func() map[string]int {
	var all []string
	for _, w := range tradeWords() {
		all = append(all, w)
	}
	slices.Sort(all)
	m := map[string]int{}
	for _, w := range slices.Compact(all) {
		m[w] = len(m)
	}
	return m
})

// Trades is the set of lines of business that a trade names, the same for a
// Chinese one and its translation: one bit a line.
type Trades [3]uint64

// generalTrades name no line of business by themselves: an Acme Technology
// Services may be an Acme Software.
var generalTrades = sync.OnceValue(func() Trades {
	var t Trades
	for w := range strings.FieldsSeq("tech service solution system international management development enterprise product new industry partner associate engineering equipment information digital") {
		t.add(w)
	}
	return t
})

// TradesOf reads an Org's Trade.
func TradesOf(trade string) (t Trades) {
	if !HasHan(trade) {
		for w := range strings.FieldsSeq(trade) {
			t.add(w)
		}
		return t
	}
	for at := 0; at < len(trade); {
		n, of := longestTrade(trade[at:])
		for i := range t {
			t[i] |= of[i]
		}
		at += n
	}
	return t
}

// hanWordTrades are the lines of business of the words of hanTradeWords.
var hanWordTrades = sync.OnceValue(func() map[string]Trades {
	m := map[string]Trades{}
	for han, words := range hanTradeWords() {
		var t Trades
		for _, w := range words {
			t.add(w)
		}
		m[han] = t
	}
	return m
})

// longestTrade is the length in bytes of the longest known word that s begins
// with, and what it names; else of its first character.
func longestTrade(s string) (size int, of Trades) {
	var ends [4]int
	n := 0
	for at := 0; n < len(ends) && at < len(s); n++ {
		_, size := utf8.DecodeRuneInString(s[at:])
		at += size
		ends[n] = at
	}
	known := hanWordTrades()
	for ; n > 1; n-- {
		if of, ok := known[s[:ends[n-1]]]; ok {
			return ends[n-1], of
		}
	}
	return ends[0], known[s[:ends[0]]]
}

func (t *Trades) add(word string) {
	if i, ok := tradeClasses()[word]; ok && i < 64*len(t) {
		t[i/64] |= 1 << (i % 64)
	}
}

// Empty says that no line of business is known.
func (t *Trades) Empty() bool { return t[0]|t[1]|t[2] == 0 }

// Apart says whether two trades name lines of business that have nothing in
// common, words that fit any business left out.
func (t *Trades) Apart(o *Trades) bool {
	if t.Empty() || o.Empty() {
		return false
	}
	g := generalTrades()
	common, special, mine, others := uint64(0), uint64(0), uint64(0), uint64(0)
	for i := range t {
		common |= t[i] & o[i]
		special |= t[i] & o[i] &^ g[i]
		mine |= t[i] &^ g[i]
		others |= o[i] &^ g[i]
	}
	return common == 0 || special == 0 && mine != 0 && others != 0
}

// leastTypedTrade is from how many letters on a mistyped trade word is known.
const leastTypedTrade = 8

var nearTrades = sync.OnceValue(func() nearTable { return newNearTable(tradeWords(), leastTypedTrade) })

// tradeOf gives the standard word for what a company does, also for a word
// mistyped by one slip; "" for another word.
func tradeOf(w string) string {
	if t, ok := tradeWords()[w]; ok {
		return t
	}
	if len(w) >= leastTypedTrade-1 {
		if near, ok := nearWord(nearTrades(), w); ok {
			return tradeWords()[near]
		}
	}
	return ""
}
