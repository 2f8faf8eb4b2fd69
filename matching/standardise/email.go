package standardise

import (
	"strings"
	"sync"
	"unicode"

	"golang.org/x/net/publicsuffix"
)

// Email reads an address: lower case, plus tag cut, dots cut where the
// provider ignores them. local is "" when it is not an address; then the note
// says so.
func Email(s string) (local, domain, note string) {
	s = strings.TrimSpace(cut(s))
	if !isASCII(s) {
		s = strings.ReplaceAll(letters(s), " ", "")
	}
	s = strings.ToLower(s)
	s = strings.TrimPrefix(s, "mailto:")
	if i := strings.IndexByte(s, '<'); i >= 0 {
		if j := strings.IndexByte(s[i:], '>'); j > 0 {
			s = s[i+1 : i+j]
		}
	}
	local, domain, ok := strings.Cut(strings.TrimSpace(s), "@")
	domain = strings.Trim(domain, ".")
	if !ok || local == "" || domain == "" || strings.ContainsFunc(local, notAddress) || strings.ContainsFunc(domain, notAddress) {
		return "", "", "not an email address"
	}
	if i := strings.IndexByte(local, '+'); i > 0 {
		local = local[:i]
	}
	if domain == "googlemail.com" {
		domain = "gmail.com"
	}
	if domain == "gmail.com" {
		if l := strings.ReplaceAll(local, ".", ""); l != "" {
			local = l
		}
	}
	if !strings.Contains(domain, ".") {
		note = "domain without a dot"
	} else if RoleAddress(local) {
		note = "role address"
	}
	return local, domain, note
}

// notAddress: what stands in no address or host name that anybody types.
func notAddress(r rune) bool {
	return r <= ' ' || r == 0x7f || r == ',' || r == ';' || r == '@' || r == '<' || r == '>' || unicode.IsSpace(r) || r == unicode.ReplacementChar
}

// RoleAddress says whether a local part belongs to a function, not a person.
func RoleAddress(local string) bool {
	head, _, _ := strings.Cut(local, ".")
	switch head {
	case "info", "sales", "contact", "office", "hello", "admin", "support", "service", "mail", "email", "enquiries", "marketing", "hr", "jobs", "billing", "accounts", "accounting", "kontakt", "webmaster",
		"postmaster", "noreply", "no-reply", "help", "team", "reception", "kefu", "shop", "orders", "invoice", "press", "finance":
		return true
	}
	return false
}

var freeMail = sync.OnceValue(func() map[string]bool {
	return set(`gmail.com yahoo.com outlook.com hotmail.com aol.com icloud.com live.com msn.com me.com mac.com mail.com gmx.com gmx.de gmx.net web.de t-online.de freenet.de hotmail.co.uk hotmail.fr hotmail.de yahoo.co.uk yahoo.fr yahoo.de live.co.uk btinternet.com
sky.com orange.fr wanadoo.fr free.fr laposte.net sfr.fr qq.com 163.com 126.com yeah.net sina.com sina.cn sohu.com foxmail.com 139.com 189.cn aliyun.com 21cn.com vip.qq.com protonmail.com proton.me yandex.ru mail.ru ymail.com comcast.net verizon.net
att.net gmial.com gmail.con yahoo.con hotmail.con outlook.con qq.con 163.con 126.con sina.con icloud.con aol.con naver.com daum.net yahoo.co.jp bigpond.com zoho.com`)
})

// FreeMail says whether anybody can have an address at the domain.
func FreeMail(domain string) bool { return freeMail()[domain] }

// Domain takes the registered domain (eTLD+1) out of a web address or host
// name; "" when there is none.
func Domain(s string) string {
	s = strings.ToLower(strings.TrimSpace(cut(s)))
	if !isASCII(s) {
		s = letters(s)
	}
	if i := strings.Index(s, "://"); i >= 0 {
		s = s[i+3:]
	}
	if i := strings.IndexAny(s, "/?#\\"); i >= 0 {
		s = s[:i]
	}
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		s = s[i+1:]
	}
	if i := strings.IndexByte(s, ':'); i >= 0 {
		s = s[:i]
	}
	s = strings.Trim(s, ". ")
	if s == "" || !strings.Contains(s, ".") || strings.ContainsFunc(s, notAddress) || strings.Contains(s, "..") {
		return ""
	}
	if plainCom(s) {
		return s
	}
	d, err := publicsuffix.EffectiveTLDPlusOne(s)
	if err != nil {
		return ""
	}
	return d
}

// plainCom spares the list for "name.com".
func plainCom(s string) bool {
	head, ok := strings.CutSuffix(s, ".com")
	return ok && len(head) > 3 && strings.IndexByte(head, '.') < 0
}
