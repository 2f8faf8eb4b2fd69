package text

import (
	"fmt"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// marks are the names that sites drop into copied text, one character at a time.
const marks = "百度回答 百度知道"

// companions are the words of everyday Chinese in which the characters of marks
// stand, of each the two characters beside each other. Where none of them fits,
// the character does not belong there.
const companions = `
一百 二百 两百 三百 四百 五百 六百 七百 八百 九百 几百 数百 上百 近百 半百 千百 百分 百万 百亿 百千 百多 百余 百年 百姓 百货 百家 百科 百度 百元 百般 百花 百合 百强 百位 百名 百人 百个 百倍 百里 百米 百岁 百日 百天 百条 百项 百种 百件 百次 百台 百吨 百字 百业 百川 百事 百胜 百盛 百灵 百叶 百忙 百战 百听 百无 百废 百折 百炼 百丽 百威 百特 百联 百脑 百思 百感 百出 百计 百态 百变 百搭 百草 百鸟 百兽 凡百 老百 满百 破百 过百 成百 每百 逾百 超百 达百 整百 第百
程度 制度 年度 速度 温度 高度 深度 力度 角度 态度 季度 月度 周度 额度 幅度 强度 密度 难度 精度 进度 广度 长度 宽度 厚度 维度 亮度 湿度 浓度 限度 尺度 过度 适度 调度 印度 再度 首度 一度 几度 多度 度过 度假 度量 度数 欢度 诚度 意度 名度 信度 注度 献度 要度 跃度 动度 效度 活度 活跃度 热度 冷度 硬度 粘度 黏度 酸度 碱度 纯度 净度 色度 灰度 坡度 弧度 梯度 经度 纬度 向度 气度 风度 法度 国度 揣度 虚度 超度 百度 度日 度身 度电 度夏 度冬 度汛 度外 度人 度娘 百分度 细度 粒度 度较 好度 感度 受度 可度 任度 合度 关度 联度 杂度 确度 整度 全度 明度 放度 作度 配度 应度 散度 集度 中度 盖度 用度 便度 捷度 靠度 定度 变度 险度 轻度 重度 低度 极度 何度 两度 三度 四度 五度 六度 七度 八度 九度 十度 零度 半度 每度 各度 分度 全年度 本度 上度 下度 曝度 光度 见度 度和 度高 度低 度大 度小 度的 度是 度上 度下 度为 度与 度等 度等级 度分 度评 度指 度计 度表
回来 回到 回答 回复 回顾 回报 回家 回收 回国 回应 回头 回忆 回归 回馈 回避 回款 回访 回购 回升 回落 收回 返回 来回 挽回 撤回 驳回 召回 退回 取回 找回 带回 拿回 赎回 回去 回事 回合 回族 回路 回执 回调 回车 回放 回扣 回味 回想 回音 回首 回暖 回流 回笼 回程 回转 回旋 回溯 回滚 回填 回电 回信 回函 回帖 回单 回话 回礼 回应 回补 回踩 回吐 回采 回廊 回乡 回民 回教 回声 回响 回荡 回车 回传 回拨 回呼 回票 回执 回迁 回租 回佣 回温 回潮 回春 回天 回身 回手 回眸 回望 回绝 回敬 回击 回稳 回弹 回撤 回看 回写 回环 回炉 回火 回油 回水 回风 回气 回门 回本 一回 这回 那回 每回 几回 两回 三回 多回 首回 上回 下回 头回 章回 轮回 迂回 巡回 送回 飞回 赶回 夺回 追回 换回 调回 买回 寄回 要回 走回 跑回 放回 传回 发回 交回 运回 拉回 缩回 抽回 归回 接回 抢回 领回 夺回 扳回 撤回 折回 打回 掉回 转回 退回 搬回 借回 还回 回不 不回 再回 又回 才回 就回 想回 能回 可回 要回 已回 未回 没回 待回 即回 将回 次回 载回 回至 回以 回我 回你 回他
回答 答案 答复 解答 问答 答应 答辩 报答 答谢 应答 答题 答卷 对答 答疑 作答 抢答 答话 答道 竞答 自答 不答 答非 答对 答错 答记 答礼 答询 答录 答曰 笑答 答者 必答 未答 已答 待答 答完 答得 答不 答出 答上 简答 答是 答了 答过 答到 答数 答语 答词 答案 巧答 速答 代答 答问 答主 滴答 答理 羞答 答腔 酬答 答拜 答对
知道 知识 通知 认知 知名 得知 告知 须知 熟知 感知 未知 已知 求知 知晓 知情 知己 知乎 知悉 获知 深知 可知 不知 周知 知音 知觉 良知 知足 知青 先知 无知 预知 皆知 知县 知府 明知 知了 知更 知彼 知性 知会 知网 知心 知交 知遇 知识 知客 知产 知行 知春 知名 须知 闻知 悉知 真知 灼知 尽知 谁知 怎知 哪知 方知 便知 就知 只知 全知 也知 都知 早知 才知 自知 人知 我知 你知 他知 所知 详知 探知 察知 被知 知其 知之 知有 知何 知法 知错 知难 知恩 知礼 知冷 知根 新知 旧知 故知 相知 知母 知州
知道 道路 道德 渠道 道理 街道 通道 频道 报道 轨道 管道 一道 道具 味道 说道 难道 答道 问道 笑道 喊道 写道 人道 地道 跑道 赛道 隧道 河道 航道 过道 车道 大道 王道 霸道 厚道 公道 正道 道歉 道士 道家 道教 道谢 道别 道口 道长 力道 门道 铁道 索道 几道 这道 那道 两道 二道 三道 四道 五道 六道 七道 八道 九道 十道 每道 多道 茶道 柔道 拳道 剑道 书道 黑道 白道 东道 南道 北道 西道 中道 同道 志道 得道 修道 悟道 传道 布道 学道 有道 无道 守道 天道 王道 孝道 弯道 直道 匝道 辅道 干道 便道 步道 栈道 坑道 巷道 水道 气道 肠道 消道 尿道 呼道 食道 阴道 产道 耳道 鼻道 信道 磁道 声道 音道 讲道 听道 称道 乐道 道破 道出 道来 道义 道观 道场 道姑 道光 道班 道闸 道岔 道床 道桥 道行 道听 道貌 道琼 各道 首道 头道 末道 道工 道题 道菜 道门 道坎 道光 道防 道关 道程 道序 一道 小道 海道 空道 河道 古道 夹道 报道 道者 道中 道上 道是 道的 道和 道为 道等 道进 道商 道建 道销 道管
跨度 氏度 敏度 由度 晰度 解度 盐度 刻度 量度 大度 测度 频度 和度 熟度 甜度 无度 共度 刚度 丰度 烈度 安度 时度 度势 度使 回过 重回 潜回 往回 回锅 回老 回游 曲回 回肠 回城 回波 回师 回心 死回 武百 芳百 百官 百头 奇百 百怪 百孔 百老 百慕 百步 百丈 百代 百斤 百宝 百只 百辆 百级 百会 百眼 百依 百发 百顺 百亩 之百
想知 而知 报知 知趣 知底 心知 知肚 推知 共知 参知 知事 知人 一知 知半 弹道 行道 国道 交道 绕道 吸道 赤道 穴道 喝道 要道 言道 墓道 暗道 神道 山道 化道 烟道 取道 改道 楼道 坡道 出道 开道 清道 驿道 世道 士道 道而 远道 滑道 岔道 道尔 麦道 道奇 妇道 殖道 顺道 胆道 是道 足道 黄道 道人 家道 道学 道号 甬道 官道 洪道 打道 分道 巡道 道喜 道贺 道旁 其道 之道`

var companion = sync.OnceValue(func() map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(companions) {
		r := []rune(w)
		set[string(r[len(r)-2:])] = true
	}
	return set
})

const (
	strayNear = 2000 // characters between two of one mark, at most
	strayMin  = 3    // characters of a mark that make it one
)

// dropped is a character that does not belong where it stands.
type dropped struct {
	text, from int // in which text, at which byte
	at         int // characters before it in all texts
	r          rune
	before     *dropped // the mark's character before it
	length     int      // of the chain up to it
}

// strays finds the characters of a mark, in the order of its name: one alone
// could be anything, three in a row are no accident.
func strays(texts []string, out [][]Finding) {
	loose := looseOf(texts)
	if len(loose) < strayMin {
		return
	}
	for mark := range strings.FieldsSeq(marks) {
		found := map[*dropped]bool{}
		var list []*dropped
		name := []rune(mark)
		best := make([]*dropped, len(name)) // the longest chain that ends with each character
		for i := range loose {
			for k, r := range name {
				if r != loose[i].r {
					continue
				}
				d := loose[i]
				d.length = 1
				if p := best[(k+len(name)-1)%len(name)]; p != nil && d.at-p.at <= strayNear {
					d.before, d.length = p, p.length+1
				}
				if b := best[k]; b == nil || d.length >= b.length || d.at-b.at > strayNear {
					best[k] = &d
				}
				if d.length < strayMin {
					continue
				}
				for x := &d; x != nil && !found[x]; x = x.before {
					found[x], list = true, append(list, x)
				}
			}
		}
		for _, d := range list {
			out[d.text] = append(out[d.text], Finding{Kind: Stray, From: d.from, To: d.from + utf8.RuneLen(d.r), What: fmt.Sprintf("%c, dropped here as a part of %s", d.r, mark)})
		}
	}
}

// looseOf lists the characters of marks that make no word with their neighbours.
func looseOf(texts []string) (loose []dropped) {
	n := 0
	for t, s := range texts {
		if isPlain(s) {
			n += len(s)
			continue
		}
		before := rune(0)
		for i, r := range s {
			n++
			if strings.ContainsRune(marks, r) && r != ' ' {
				after, _ := utf8.DecodeRuneInString(s[i+utf8.RuneLen(r):])
				if isLoose(before, r, after) {
					loose = append(loose, dropped{text: t, from: i, at: n, r: r})
				}
			}
			before = r
		}
	}
	return loose
}

func isLoose(before, r, after rune) bool {
	words := companion()
	if words[string([]rune{before, r})] || words[string([]rune{r, after})] {
		return false
	}
	if unicode.IsDigit(before) || unicode.IsDigit(after) { // 30度, 3回
		return false
	}
	return after != ':' && after != '：' && after != '、' && before != '、' // 答：…; a list
}
