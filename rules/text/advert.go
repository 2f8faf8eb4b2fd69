package text

import (
	"strings"
	"unicode/utf8"
)

const (
	advertMin  = 3   // texts that end alike
	advertBody = 8   // characters before it: a text of its own is no tail
	advertLeft = 8   // characters of the shortest advert
	advertMost = 300 // and of the longest
)

// appeals are what adverts say. A tail without any may be a signature.
const appeals = `www. http:// https:// .com/ 公众号 微信号 加微信 加群 关注我们 扫码 扫描二维码 点击这里 点击查看 点击下载 立即下载 免费下载 免费试用 更多精彩 更多内容 更多资讯 更多信息请 欢迎访问 请访问 请登录 优惠码 转载请注明
click here|visit us|visit our|follow us|subscribe|download now|free trial|sign up now|promo code|sent from my`

func appealsOf() (list []string) {
	cn, en, _ := strings.Cut(appeals, "\n")
	return append(strings.Fields(cn), strings.Split(en, "|")...)
}

// adverts finds the same last sentence, with an appeal in it, under three or more
// texts that differ otherwise. The lines of a single text are taken for texts.
func adverts(texts []string, out [][]Finding) {
	type tail struct{ text, from, to int }
	list := appealsOf()
	tails := map[string][]tail{}
	bodies := map[string]map[string]bool{}
	var order []string
	for t, s := range texts {
		for from := 0; from < len(s); {
			to := len(s)
			if i := strings.IndexByte(s[from:], '\n'); i >= 0 {
				to = from + i
			}
			if at := tailOf(s[from:to]); at > 0 {
				text := strings.TrimSpace(s[from+at : to])
				if appealing(text, list) {
					if tails[text] == nil {
						order, bodies[text] = append(order, text), map[string]bool{}
					}
					tails[text] = append(tails[text], tail{t, from + at, to})
					bodies[text][strings.TrimSpace(s[from:from+at])] = true
				}
			}
			from = to + 1
		}
	}
	for _, text := range order {
		if len(bodies[text]) < advertMin {
			continue
		}
		for _, x := range tails[text] {
			out[x.text] = append(out[x.text], Finding{Kind: Advert, From: x.from, To: x.to, What: "an advert that stands at the end of other texts too"})
		}
	}
}

// tailOf gives where the last sentence of a line begins, 0 when it has only one.
func tailOf(line string) int {
	body := strings.TrimRight(line, " \t\r。！？!?.…")
	at := -1
	for _, end := range []string{"。", "！", "？", "!", "?", "；", ";", ". ", "| ", " — ", " - "} {
		if i := strings.LastIndex(body, end); i >= 0 {
			at = max(at, i+len(end))
		}
	}
	if at < 0 || utf8.RuneCountInString(line[:at]) < advertBody {
		return 0
	}
	for at < len(line) && line[at] == ' ' {
		at++
	}
	if n := utf8.RuneCountInString(line[at:]); n < advertLeft || n > advertMost {
		return 0
	}
	return at
}

func appealing(s string, list []string) bool {
	s = strings.ToLower(s)
	for _, a := range list {
		if strings.Contains(s, a) {
			return true
		}
	}
	return false
}
