package standardise

import (
	"net/url"
	"strings"
	"sync"
)

// Site gives what a web address says of whose it is: the registered domain, as
// Domain, or on a platform that many share the platform and the name of the
// shop or page on it, "facebook.com/acme". platform is the platform's domain
// where the address is one's; site is "" where nothing is left to tell, as of
// facebook.com alone.
func Site(s string) (site, platform string) {
	d := Domain(s)
	if d == "" || !sharedDomains()[d] {
		return d, ""
	}
	host, path, query := addressParts(s)
	sub := strings.TrimSuffix(strings.TrimSuffix(host, d), ".")
	if name := shopInHost(sub); name != "" {
		return d + "/" + name, d
	}
	if name := shopInPath(path, query); name != "" {
		return d + "/" + name, d
	}
	return "", d
}

// SharedMail says whether an address at the domain says nothing of whose it is:
// that of a mail provider or of a platform.
func SharedMail(domain string) bool { return sharedDomains()[domain] }

// addressParts takes a web address apart, in small letters, as Domain reads it.
func addressParts(s string) (host, path, query string) {
	s = strings.TrimSpace(cut(s))
	if !isASCII(s) {
		s = letters(s)
	}
	s = strings.ToLower(strings.ReplaceAll(s, "\\", "/"))
	if i := strings.Index(s, "://"); i >= 0 {
		s = s[i+3:]
	}
	s, _, _ = strings.Cut(s, "#")
	s, query, _ = strings.Cut(s, "?")
	host, path, _ = strings.Cut(s, "/")
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		host = host[i+1:]
	}
	host, _, _ = strings.Cut(host, ":")
	return strings.Trim(host, ". "), path, query
}

// shopInHost is the label that names a shop: acme of acme.en.1688.com.
func shopInHost(sub string) string {
	for label := range strings.SplitSeq(sub, ".") {
		if len(label) > 2 && !locale(label) && !platformWords()[label] {
			return label
		}
	}
	return ""
}

// shopInPath is the first part of a path that names a shop, or the id in the
// query where a script stands there: profile.php?id=100.
func shopInPath(path, query string) string {
	for part := range strings.SplitSeq(path, "/") {
		if p, err := url.PathUnescape(part); err == nil {
			part = p
		}
		part = strings.Trim(part, " @~._")
		switch {
		case goods()[part]:
			return ""
		case len(part) <= 2 || locale(part) || platformWords()[part]:
			continue
		case strings.HasSuffix(part, ".php") || strings.HasSuffix(part, ".htm") || strings.HasSuffix(part, ".html") || strings.HasSuffix(part, ".aspx"):
			return shopInQuery(query)
		}
		return strings.Map(siteRune, part)
	}
	return shopInQuery(query)
}

func shopInQuery(query string) string {
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		switch name {
		case "id", "me", "seller", "shop_id", "shopid", "__biz", "user_number_id", "memberid":
			if v, err := url.QueryUnescape(value); err == nil && len(v) > 2 {
				return strings.Map(siteRune, v)
			}
		}
	}
	return ""
}

// siteRune keeps what names are told by: Facebook takes a.c.m.e for acme.
func siteRune(r rune) rune {
	if r <= ' ' || r == '.' || r == '/' || r == 0x7f {
		return -1
	}
	return r
}

// locale: "en-us", "zh_cn".
func locale(s string) bool { return len(s) == 5 && (s[2] == '-' || s[2] == '_') }

// platformWords stand in addresses of platforms and name no shop.
var platformWords = sync.OnceValue(func() map[string]bool {
	return set(`www web mobile shop shops store stores sellers seller market mall member members home homepage homepages perso profil profile profiles user users usr str pages page people biz company companies
school showcase pub channel view site sites public groups group explore place places maps intl world global blog detail company_profile companyprofile mp weixin space author business fan fans index.html index.htm index default.aspx`)
})

// goods begin the path of a thing or of a search, not of a shop.
var goods = sync.OnceValue(func() map[string]bool {
	return set(`dp gp item items itm listing product products search offer category categories watch posts photo photos video videos events status login signup sharer sharer.php share hashtag help about legal privacy policies terms maps`)
})

var sharedDomains = sync.OnceValue(func() map[string]bool {
	m := set(platformDomains)
	for d := range freeMail() {
		m[d] = true
	}
	return m
})

// platformDomains are the registered domains under which many have a shop or a
// page: markets, networks, site builders, link lists and shorteners. Those on
// the public suffix list (github.io, myshopify.com, wixsite.com) need no entry
// but where it does not know the bare name.
const platformDomains = `facebook.com fb.com fb.me m.me instagram.com threads.net twitter.com x.com linkedin.com lnkd.in youtube.com youtu.be tiktok.com douyin.com kuaishou.com pinterest.com pinterest.de pinterest.co.uk pinterest.fr snapchat.com telegram.me t.me wa.me whatsapp.com vk.com ok.ru
xing.com weibo.com weibo.cn xiaohongshu.com zhihu.com bilibili.com douban.com baidu.com weixin.com reddit.com quora.com medium.com substack.com tumblr.com flickr.com vimeo.com behance.net dribbble.com github.com gitlab.com bitbucket.org sourceforge.net
amazon.com amazon.de amazon.co.uk amazon.fr amazon.it amazon.es amazon.nl amazon.se amazon.pl amazon.ca amazon.com.mx amazon.com.br amazon.com.au amazon.co.jp amazon.cn amazon.in amazon.sg amazon.ae amazon.sa amazon.com.tr amazon.com.be amazon.eg
ebay.com ebay.de ebay.co.uk ebay.fr ebay.it ebay.es ebay.nl ebay.ca ebay.com.au ebay.at ebay.ch ebay.pl ebay.ie ebay-kleinanzeigen.de kleinanzeigen.de etsy.com aliexpress.com aliexpress.us alibaba.com 1688.com taobao.com tmall.com tmall.hk jd.com jd.hk pinduoduo.com yangkeduo.com weidian.com youzan.com
made-in-china.com globalsources.com dhgate.com hc360.com huangye88.com qcc.com tianyancha.com aiqicha.com indiamart.com tradeindia.com exportersindia.com ec21.com tradekey.com kompass.com europages.com europages.de europages.co.uk wlw.de thomasnet.com
shopee.com shopee.sg shopee.tw shopee.co.id shopee.com.my shopee.ph shopee.vn shopee.co.th shopee.com.br lazada.com lazada.sg lazada.com.my lazada.co.id lazada.co.th lazada.vn lazada.com.ph rakuten.co.jp rakuten.com mercari.com tokopedia.com bukalapak.com mercadolibre.com mercadolibre.com.mx mercadolibre.com.ar
mercadolivre.com.br allegro.pl bol.com otto.de kaufland.de cdiscount.com ruten.com.tw pinkoi.com carousell.com.hk carousell.sg openrice.com yelp.com yelp.de yelp.co.uk tripadvisor.com tripadvisor.de tripadvisor.co.uk tripadvisor.fr dianping.com meituan.com booking.com airbnb.com foursquare.com trustpilot.com
google.com goo.gl g.page g.co business.site wix.com wixsite.com weebly.com wordpress.com squarespace.com jimdo.com jimdofree.com jimdosite.com strikingly.com mystrikingly.com webnode.com webnode.page webnode.de site123.me ueniweb.com godaddysites.com carrd.co shopify.com myshopify.com bigcartel.com ecwid.com storenvy.com gumroad.com patreon.com
ko-fi.com linktr.ee bio.link beacons.ai campsite.bio lnk.bio taplink.cc solo.to about.me allmylinks.com bit.ly tinyurl.com t.cn dwz.cn url.cn blogspot.com blogger.com blogspot.de blogspot.co.uk blogspot.fr livejournal.com over-blog.com canalblog.com sitew.com e-monsite.com pagesperso-orange.fr homepage.t-online.de tripod.com angelfire.com geocities.com
eventbrite.com meetup.com discord.gg discord.com twitch.tv spotify.com soundcloud.com notion.site notion.so canva.site github.io gitlab.io netlify.app vercel.app pages.dev herokuapp.com web.app firebaseapp.com`
