package standardise

import (
	"strings"
	"sync"
)

// nicknames groups given names that stand for one another; a name may be in
// several groups.
var nicknames = sync.OnceValue(func() map[string][]int {
	m := map[string][]int{}
	for i, line := range strings.Split(nicknameGroups, "\n") {
		for n := range strings.FieldsSeq(line) {
			m[n] = append(m[n], i)
		}
	}
	return m
})

// Nickname says whether two folded given names are forms of one name.
func Nickname(a, b string) bool {
	as := nicknames()[a]
	if len(as) == 0 {
		return false
	}
	for _, x := range nicknames()[b] {
		for _, y := range as {
			if x == y {
				return true
			}
		}
	}
	return false
}

const nicknameGroups = `abigail abby gail
abraham abe bram
albert al bert bertie
alexander alex al sandy xander sasha lex
alexandra alex sandra sandy lexi sasha alexa
alfred al fred alf freddie alfie
allen al alan allan
amanda mandy
andrew andy drew
andrea andy andi drea
angela angie
ann anne anna annie nan nancy
anthony tony ant
antonio tony
arthur art artie
barbara barb barbie babs
benjamin ben benny benji
bernard bernie
beverly bev
bradley brad
brandon brand
calvin cal
cameron cam
carolyn carol carrie lyn
caroline carol carrie
catherine katherine kathryn cathy kathy kate katie kat kay kitty cat
charles charlie chuck chas chad
charlotte charlie lottie char
christine christina chris chrissy tina christy
christopher chris kit topher
clifford cliff
clinton clint
cynthia cindy
daniel dan danny
danielle dani
david dave davey
deborah debra deb debbie
dennis denny
dominic dom nick
donald don donny
dorothy dot dottie dolly
douglas doug
edward ed eddie ted ned teddy
edwin ed eddie
eleanor ellie nell nora
elizabeth liz beth betty lizzie eliza libby betsy lisa bess
emily em emmy
eric rick
eugene gene
evelyn evie eve
frances fran frannie
francis frank fran
franklin frank
frederick fred freddie freddy rick
gabriel gabe
gabrielle gabby
gary gaz
geoffrey jeffrey jeff geoff
george georgie
gerald gerry jerry
gerard gerry
gregory greg
harold hal harry
harriet harry hattie
heather heath
henry hank harry hal
herbert herb bert
howard howie
isabella bella izzy isabel
isaac ike
jacob jake
jacqueline jackie
james jim jimmy jamie
jane janie
janet jan
janice jan
jason jay
jean jeanie
jennifer jen jenny jenn
jeremy jerry jem
jerome jerry
jessica jess jessie
jill gillian
joan joanie
joanna jo joanne
john jack johnny jon
jonathan jon jonny nathan
joseph joe joey jo
josephine jo josie
joshua josh
joyce joy
judith judy judi
julia julie jules
karen kari
kenneth ken kenny
kevin kev
kimberly kim
kristen kris kristin kristina
larry lawrence laurence lars
laura laurie
leonard len leo lenny
leslie les
lillian lil lily
linda lindy lyn
louis lou louie
louise lou
lucas luke
madeline maddie
margaret maggie meg peggy marge margie greta rita
maria mary
martin marty
mary molly polly
matthew matt matty
maximilian max
maxwell max
megan meg
melanie mel
melissa mel missy lissa
melvin mel
michael mike mick mickey micky mikey
michelle shelly mich
mitchell mitch
nancy nan
natalie nat
nathan nate
nathaniel nate nat nathan
nicholas nick nicky
nicole nicky nikki
norman norm
oliver ollie
olivia liv livvy
oscar ozzie
pamela pam
patricia pat patty tricia trish patti
patrick pat paddy rick
peter pete
philip phil phillip
phyllis phyl
rachel rae
raymond ray
rebecca becky becca
reginald reg reggie
richard rick dick rich ricky richie
robert bob rob bobby robbie bert
roberta bobbie
rodney rod
roger rodge
ronald ron ronnie
rose rosie
roy royce
russell russ
ruth ruthie
samantha sam sammy
samuel sam sammy
sandra sandy
sara sarah sally sadie
scott scotty
sean shaun shawn
sharon shari
shirley shirl
sophia sophie
stephanie steph stephie
stephen steven steve
stuart stu stewart
susan sue susie suzy suzanne
sylvia syl
tamara tammy
terence terry terrance
teresa theresa terry tess
theodore ted teddy theo
thomas tom tommy
timothy tim timmy
tobias toby
tracy trace
valerie val
vanessa nessa
veronica ronnie
victor vic
victoria vicky tori vicki
vincent vince vinny
virginia ginny
walter walt wally
wayne
wendy
wesley wes
william bill will billy willy liam
zachary zach zack`

var surnames = sync.OnceValue(func() map[string]bool { return set(hanSurnames) })

// hanSurnames are the common Chinese family names, compound ones first.
const hanSurnames = `欧阳 司马 上官 诸葛 东方 皇甫 尉迟 公孙 慕容 令狐 司徒 司空 夏侯 长孙 宇文 轩辕 端木 独孤 南宫 西门 东郭 百里 呼延 万俟 闻人 赫连 澹台 公冶 宗政 濮阳 淳于 单于 太叔 申屠 仲孙 钟离 鲜于 闾丘 拓跋
王 李 张 刘 陈 杨 黄 赵 吴 周 徐 孙 马 朱 胡 郭 何 林 罗 高 郑 梁 谢 宋 唐 许 韩 邓 冯 曹 彭 曾 肖 萧 田 董 袁 潘 于 蒋 蔡 余 杜 叶 程 苏 魏 吕 丁 任 沈 姚 卢 姜 崔 钟 谭 陆 汪 范 金 石 廖 贾 夏 韦 付 傅 方 白 邹 孟 熊 秦 邱 江 尹 薛 闫 阎 段 雷 侯 龙 史 陶 黎
贺 顾 毛 郝 龚 邵 万 钱 严 覃 武 戴 莫 孔 向 汤 常 温 康 施 文 牛 樊 葛 邢 安 齐 易 乔 伍 庞 颜 倪 庄 聂 章 鲁 岳 翟 殷 詹 申 欧 耿 关 兰 焦 俞 左 柳 甘 祝 包 宁 尚 符 舒 阮 柯 纪 梅 童 凌 毕 单 季 裴 霍 涂 成 苗 谷 盛 曲 翁 冉 骆 蓝 路 游 辛 靳 欧 管 柴 蒙 鲍 华 喻 祁 蒲 房 滕
屈 饶 解 牟 艾 尤 阳 时 穆 农 司 卓 古 吉 缪 简 车 项 连 芦 麦 褚 娄 窦 戚 岑 景 党 宫 费 卜 冷 晏 席 卫 米 柏 宗 瞿 桂 全 佟 应 臧 闵 苟 邬 边 卞 姬 师 和 仇 栾 隋 商 刁 沙 荣 巫 寇 桑 郎 甄 丛 仲 虞 敖 巩 明 佘 池 查 麻 苑 迟 邝 官 封 谈 匡 鞠 惠 荆 乐 冀 郁 胥 南 班 储 原 栗 燕 楚 鄢 劳 谌
奚 皮 粟 冼 蔺 楼 盘 满 闻 位 厉 伊 仝 区 郜 海 阚 花 权 强 帅 屠 豆 朴 盖 练 廉 禹 井 祖 漆 巴 丰 支 卿 国 狄 平 计 索 宣 晋 相 初 门 云 容 敬 来 扈 晁 芮 都 普 阙 浦 戈 伏 鹿 薄 邸 雍 辜 羊 阿 乌 母 裘 亓 修 邰 赫 杭 况 那 宿 鲜 印 逯 隆 茹 诺 战 慕 危 玉 银 亢 嵇 公 哈 湛 宾 戎 勾 茅 利 於 呼 居 揭 干 但 尉 冶 斯 元 束 檀 衣 信 展 阴 昝 智 幸 奉 植 衡 富 尧 闭 由`

// surnameReading gives the reading of a family name where it differs from the
// character's usual one.
func surnameReading(s string) (string, bool) {
	switch s {
	case "单":
		return "shan", true
	case "仇":
		return "qiu", true
	case "区":
		return "ou", true
	case "查":
		return "zha", true
	case "曾":
		return "zeng", true
	case "解":
		return "xie", true
	case "朴":
		return "piao", true
	case "盖":
		return "ge", true
	case "翟":
		return "zhai", true
	case "缪":
		return "miao", true
	case "员":
		return "yun", true
	case "种":
		return "chong", true
	case "冼":
		return "xian", true
	case "覃":
		return "qin", true
	case "单于":
		return "chanyu", true
	case "尉迟":
		return "yuchi", true
	case "万俟":
		return "moqi", true
	case "长孙":
		return "zhangsun", true
	case "吕":
		return "lv", true
	}
	return "", false
}
