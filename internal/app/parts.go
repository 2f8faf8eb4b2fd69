package app

import (
	"touchstone/matching"
	"touchstone/matching/standardise"
)

// samePage is what the level "same domain" says where both addresses are pages of
// one platform: the domain is the platform's, and the page is what they share.
const samePage = "same page"

// worded gives the parts of a weight the words that fit what was compared.
func worded(parts []matching.Part) []matching.Part {
	for i, p := range parts {
		if p.Field == "web" && p.Level == "same domain" && onPlatform(p.A) && onPlatform(p.B) {
			parts[i].Level = samePage
		}
	}
	return parts
}

func onPlatform(address string) bool {
	_, platform := standardise.Site(address)
	return platform != ""
}
