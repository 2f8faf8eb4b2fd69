package standardise

import (
	"strconv"
	"strings"
)

// digitsOf turns Chinese numerals into digits: digit by digit (八八五 → 885)
// or by place (三百二十一 → 321, 十二 → 12). Only runs of two or more numerals,
// or one before a counter such as 号 or 室, are taken as numbers.
func digitsOf(s string) string {
	if !strings.ContainsAny(s, "零一二三四五六七八九十百千两") {
		return s
	}
	rs := []rune(s)
	var b strings.Builder
	for i := 0; i < len(rs); {
		j := i
		for j < len(rs) && numeral(rs[j]) >= 0 {
			j++
		}
		if j > i && j < len(rs) && strings.ContainsRune("号楼栋幢座单室层弄巷", rs[j]) {
			b.WriteString(number(rs[i:j]))
			i = j
			continue
		}
		if j == i {
			j++
		}
		b.WriteString(string(rs[i:j]))
		i = j
	}
	return b.String()
}

func numeral(r rune) int {
	switch r {
	case '零':
		return 0
	case '一':
		return 1
	case '二', '两':
		return 2
	case '三':
		return 3
	case '四':
		return 4
	case '五':
		return 5
	case '六':
		return 6
	case '七':
		return 7
	case '八':
		return 8
	case '九':
		return 9
	case '十':
		return 10
	case '百':
		return 100
	case '千':
		return 1000
	}
	return -1
}

func number(rs []rune) string {
	placed := false
	for _, r := range rs {
		placed = placed || numeral(r) >= 10
	}
	var b strings.Builder
	if !placed || len(rs) > 8 {
		for _, r := range rs {
			b.WriteByte(byte('0' + numeral(r)%10))
		}
		return b.String()
	}
	total, digit := 0, 0
	for _, r := range rs {
		n := numeral(r)
		if n < 10 {
			digit = n
			continue
		}
		total += max(digit, 1) * n
		digit = 0
	}
	return strconv.Itoa(total + digit)
}
