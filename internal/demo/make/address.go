package main

import (
	"slices"
	"strings"
)

// freeMail are the providers the generator uses, with its one misspelling.
var freeMail = []string{
	"gmail", "gmial", "yahoo", "outlook", "hotmail", "aol", "icloud", "btinternet",
	"gmx", "web", "t-online", "orange", "free", "wanadoo", "qq", "163", "126", "sina",
}

// chinese are the providers that get a Chinese stand-in.
var chinese = []string{"qq", "163", "126", "sina"}

// safeEmail moves an address to a domain that nobody can own: a provider's to a
// sub-domain of example.com, example.cn or example.org, a company's to the
// reserved top level .example (RFC 2606). One domain becomes one domain, so what
// was shared stays shared and a misspelling stays one.
func safeEmail(s string) string {
	local, domain, ok := strings.Cut(s, "@")
	if !ok {
		return s
	}
	name, tld, _ := strings.Cut(domain, ".")
	low := strings.ToLower(name)
	if !slices.Contains(freeMail, low) {
		return local + "@" + safeDomain(domain)
	}
	switch {
	case slices.Contains(chinese, low):
		return local + "@" + name + ".example.cn"
	case strings.EqualFold(tld, "com"):
		return local + "@" + name + ".example.com"
	}
	return local + "@" + name + "-" + strings.ReplaceAll(tld, ".", "-") + ".example.org"
}

// safeDomain turns cordata.co.uk into cordata-co-uk.example, in its own case.
func safeDomain(d string) string {
	end := ".example"
	if d == strings.ToUpper(d) && d != strings.ToLower(d) {
		end = ".EXAMPLE"
	}
	return strings.ReplaceAll(d, ".", "-") + end
}

// safeWebsite does the same to the host of a website, as it was written.
func safeWebsite(s string) string {
	if s == "" {
		return ""
	}
	start := 0
	if i := strings.Index(s, "://"); i >= 0 {
		start = i + len("://")
	}
	if len(s) >= start+4 && strings.EqualFold(s[start:start+4], "www.") {
		start += 4
	}
	host, rest, slash := strings.Cut(s[start:], "/")
	if slash {
		rest = "/" + rest
	}
	return s[:start] + safeDomain(host) + rest
}
