package standardise

import (
	"strings"
	"sync"
	"unicode"

	"golang.org/x/net/publicsuffix"
)

// NoteRole is what Email says of an address that is a function's.
const NoteRole = "role address"

// Email reads an address: lower case, plus tag cut, dots cut where the
// provider ignores them. local is "" when it is not an address; then the note
// says so.
func Email(s string) (local, domain, note string) {
	local, domain, ok := plainAddress(s)
	if !ok {
		local, domain, ok = anyAddress(s)
	}
	if !ok {
		return "", "", "not an email address"
	}
	if i := tagAt(local, domain); i > 0 {
		local = local[:i]
	}
	domain = mailDomain(domain)
	if domain == "gmail.com" && strings.IndexByte(local, '.') >= 0 {
		if l := strings.ReplaceAll(local, ".", ""); l != "" {
			local = l
		}
	}
	if strings.IndexByte(domain, '.') < 0 {
		note = "domain without a dot"
	} else if RoleAddress(local) {
		note = NoteRole
	}
	return local, domain, note
}

// tagAt is where a tag begins that the provider delivers without: after a plus,
// and at Yahoo after a hyphen; 0 for none.
func tagAt(local, domain string) int {
	i := strings.IndexByte(local, '+')
	if i <= 0 && strings.HasPrefix(domain, "yahoo.") {
		i = strings.IndexByte(local, '-')
	}
	return i
}

// mailDomain gives one name to a provider's several.
func mailDomain(d string) string {
	switch d {
	case "googlemail.com":
		return "gmail.com"
	case "pm.me", "protonmail.com", "protonmail.ch":
		return "proton.me"
	case "ya.ru", "yandex.com":
		return "yandex.ru"
	}
	return d
}

// plainAddress takes a plain ASCII address in lower case apart, without a copy.
func plainAddress(s string) (local, domain string, ok bool) {
	at := -1
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', isDigit(c), c == '-', c == '_', c == '+':
		case c == '.':
			if i == len(s)-1 || i == at+1 && at >= 0 {
				return "", "", false
			}
		case c == '@' && at < 0:
			at = i
		default:
			return "", "", false
		}
	}
	if at <= 0 || at == len(s)-1 || len(s) > maxRunes {
		return "", "", false
	}
	return s[:at], s[at+1:], true
}

func anyAddress(s string) (local, domain string, ok bool) {
	s = strings.TrimSpace(cut(s))
	if !isASCII(s) {
		s = strings.ReplaceAll(letters(s), " ", "")
	}
	s = strings.ToLower(s)
	if rest, ok := strings.CutPrefix(s, "mailto:"); ok {
		s, _, _ = strings.Cut(rest, "?")
	}
	if i := strings.IndexByte(s, '<'); i >= 0 {
		if j := strings.IndexByte(s[i:], '>'); j > 0 {
			s = s[i+1 : i+j]
		}
	}
	if strings.Count(s, "@") > 1 {
		s = firstAddress(s)
	}
	local, domain, ok = strings.Cut(strings.TrimSpace(s), "@")
	domain = strings.Trim(domain, ".")
	return local, domain, ok && local != "" && domain != "" && !strings.ContainsFunc(local, notAddress) && !strings.ContainsFunc(domain, notAddress)
}

// firstAddress is the first of several that stand in one field.
func firstAddress(s string) string {
	parts := strings.FieldsFunc(s, func(r rune) bool {
		return r == ',' || r == ';' || r == '、' || r == '|' || r == '/' || unicode.IsSpace(r)
	})
	for _, p := range parts {
		if strings.IndexByte(p, '@') >= 0 {
			return p
		}
	}
	return s
}

// notAddress: what stands in no address or host name that anybody types.
func notAddress(r rune) bool {
	return r <= ' ' || r == 0x7f || r == ',' || r == ';' || r == '@' || r == '<' || r == '>' || unicode.IsSpace(r) || r == unicode.ReplacementChar
}

// RoleAddress says whether a local part belongs to a function, not a person.
func RoleAddress(local string) bool {
	head, _, _ := strings.Cut(local, ".")
	switch head {
	case "info", "sales", "contact", "office", "hello", "admin", "support", "service", "mail", "email", "enquiries", "enquiry", "inquiry", "marketing", "hr", "jobs", "billing", "accounts", "accounting", "kontakt", "webmaster",
		"postmaster", "noreply", "no-reply", "help", "team", "reception", "kefu", "shop", "orders", "order", "invoice", "invoices", "press", "finance", "administrator", "hostmaster", "abuse", "security", "privacy", "customerservice", "helpdesk", "careers", "recruitment", "purchasing", "procurement", "export", "general", "legal", "media", "newsletter", "feedback", "booking", "reservations",
		// German
		"buchhaltung", "vertrieb", "verkauf", "bewerbung", "rechnung", "rechnungen", "bestellung", "einkauf", "zentrale", "sekretariat", "empfang", "verwaltung", "kundenservice", "datenschutz", "presse", "personal", "buero", "post",
		// Spanish
		"ventas", "contacto", "administracion", "compras", "facturacion", "atencion", "soporte", "pedidos", "recursoshumanos", "oficina", "informacion", "clientes",
		// French
		"accueil", "comptabilite", "commercial", "facturation", "recrutement", "achats", "direction", "secretariat", "commande", "commandes",
		// Chinese, by its reading
		"xiaoshou", "lianxi", "caiwu", "renshi", "zhaopin", "shichang", "shouhou", "yewu", "gongsi", "bangongshi", "fuwu":
		return true
	}
	return false
}

var freeMail = sync.OnceValue(func() map[string]bool {
	return set(`gmail.com yahoo.com outlook.com hotmail.com aol.com icloud.com live.com msn.com me.com mac.com mail.com gmx.com gmx.de gmx.net web.de t-online.de freenet.de hotmail.co.uk hotmail.fr hotmail.de yahoo.co.uk yahoo.fr yahoo.de live.co.uk btinternet.com
sky.com orange.fr wanadoo.fr free.fr laposte.net sfr.fr qq.com 163.com 126.com yeah.net sina.com sina.cn sohu.com foxmail.com 139.com 189.cn aliyun.com 21cn.com vip.qq.com protonmail.com proton.me yandex.ru mail.ru ymail.com comcast.net verizon.net
att.net gmial.com gmail.con yahoo.con hotmail.con outlook.con qq.con 163.con 126.con sina.con icloud.con aol.con naver.com daum.net yahoo.co.jp bigpond.com zoho.com
gmx.at gmx.ch arcor.de online.de outlook.de outlook.fr outlook.es outlook.it live.fr live.de live.nl live.com.au hotmail.es hotmail.it hotmail.nl yahoo.es yahoo.it yahoo.ca yahoo.com.au yahoo.com.br yahoo.com.hk yahoo.com.tw yahoo.com.sg yahoo.co.in yahoo.in rocketmail.com
vip.sina.com vip.126.com 188.com wo.cn 263.net tom.com aliyun.cn hotmail.cn outlook.cn live.cn netvigator.com hkbn.net pchome.com.tw hinet.net seed.net.tw
libero.it virgilio.it tiscali.it alice.it tin.it bbox.fr neuf.fr numericable.fr telefonica.net terra.com.br uol.com.br bol.com.br ig.com.br bluewin.ch hispeed.ch ziggo.nl kpnmail.nl planet.nl home.nl telenet.be skynet.be wp.pl o2.pl onet.pl interia.pl seznam.cz email.cz centrum.cz
bk.ru list.ru inbox.ru rambler.ru ukr.net rediffmail.com hanmail.net nate.com docomo.ne.jp ezweb.ne.jp softbank.ne.jp googlemail.com cox.net sbcglobal.net bellsouth.net charter.net earthlink.net shaw.ca rogers.com sympatico.ca telus.net optusnet.com.au xtra.co.nz
virginmedia.com ntlworld.com talktalk.net blueyonder.co.uk tiscali.co.uk fastmail.com fastmail.fm tutanota.com hushmail.com hey.com duck.com`)
})

// FreeMail says whether anybody can have an address at the domain.
func FreeMail(domain string) bool { return freeMail()[domain] }

// Domain takes the registered domain (eTLD+1, by the public suffix list) out of
// a web address or host name; "" when there is none.
func Domain(s string) string {
	s = strings.TrimSpace(cut(s))
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
	s = strings.ToLower(strings.Trim(s, ". "))
	if s == "" || strings.IndexByte(s, '.') < 0 || strings.ContainsFunc(s, notAddress) || strings.Contains(s, "..") {
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
