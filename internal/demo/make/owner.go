package main

import (
	"strconv"
	"strings"
	"unicode"
)

// The account managers of the CRM, made up: those who look after customers that
// write Chinese, and the others.
var (
	chineseOwners = []string{"陈思远", "王佳怡", "赵明轩"}
	otherOwners   = []string{"Grace Okafor", "Daniel Reyes", "Sophie Lindqvist"}
)

// everyUnowned leaves one customer in so many to nobody, as CRMs do.
const everyUnowned = 9

// ownerOf says who looks after a customer: the same person in every record, found
// from the number of the customer and the language of its first record.
func (b *builder) ownerOf(entity, cluster string, r row) string {
	key := entity + "-" + cluster
	if owner, ok := b.owners[key]; ok {
		return owner
	}
	owner := ""
	if n, err := strconv.Atoi(cluster); err == nil && n%everyUnowned != 0 {
		list := otherOwners
		if inChinese(r["name"] + r["first_name"] + r["last_name"]) {
			list = chineseOwners
		}
		owner = list[n/everyUnowned%len(list)]
		if n%2 == 0 { // the first of them has most to do
			owner = list[0]
		}
	}
	b.owners[key] = owner
	return owner
}

func inChinese(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}
