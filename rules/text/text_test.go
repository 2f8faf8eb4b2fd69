package text

import (
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// found is a finding as a test writes it: what stands there, what could.
type found struct {
	Kind     Kind
	Is, Put  string
	Line, At int
}

func shown(s string) (out []found) {
	for _, f := range Detect(s) {
		line, column := Place(s, f.From)
		out = append(out, found{f.Kind, s[f.From:f.To], f.Put, line, column})
	}
	return out
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestSeeds finds everything in the scraped lines, and what stands there without it.
func TestSeeds(t *testing.T) {
	s := read(t, "dirty.txt") + "而举办的各种优惠活答动很受欢迎\n"
	run := "62616964757a686964616fe59b9ee7ad9431333431373838"
	want := []found{
		{Hex, run, "", 1, 31},
		{Stray, "百", "", 2, 16},
		{Stray, "度", "", 3, 18},
		{Stray, "回", "", 4, 17},
		{Stray, "答", "", 5, 10},
	}
	if diff := cmp.Diff(want, shown(s)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	list := Detect(s)
	if want := `hexadecimal digits that spell "baiduzhidao回答1341788"`; len(list) == 0 || list[0].What != want {
		t.Errorf("the first finding is %+v, want %s", list, want)
	}
	clean := Clean(s, list)
	for _, want := range []string{"以各种方式对自愿", "等; 2. 客户忠诚度分析", "指不同客户所", "划分的销售额", "优惠活动很受"} {
		if !strings.Contains(clean, want) {
			t.Errorf("cleaned text has no %q:\n%s", want, clean)
		}
	}
	if diff := cmp.Diff([]found(nil), shown(clean)); diff != "" {
		t.Errorf("the cleaned text has findings:\n%s", diff)
	}
}

func TestFindings(t *testing.T) {
	tests := []struct {
		text string
		want []found
	}{
		{"zero\u200bwidth and\ufeff\u2060 joined", []found{{Hidden, "\u200b", "", 1, 5}, {Hidden, "\ufeff\u2060", "", 1, 15}}},
		{"soft\u00adhyphen", []found{{Hidden, "\u00ad", "", 1, 5}}},
		{"left\u202eright", []found{{Hidden, "\u202e", "", 1, 5}}},
		{"bell\x07 and\x00", []found{{Control, "\x07", "", 1, 5}, {Control, "\x00", "", 1, 10}}},
		{"it\u0092s", []found{{Control, "\u0092", "’", 1, 3}}},
		{"FranÃ§ois MÃ¼ller", []found{{Mojibake, "Ã§", "ç", 1, 5}, {Mojibake, "Ã¼", "ü", 1, 12}}},
		{"CafÃ© NoÃ«l", []found{{Mojibake, "Ã©", "é", 1, 4}, {Mojibake, "Ã«", "ë", 1, 9}}},
		{"Donâ€™t pay 5 â‚¬", []found{{Mojibake, "â€™", "’", 1, 4}, {Mojibake, "â‚¬", "€", 1, 15}}},
		{"price Â£5", []found{{Mojibake, "Â£", "£", 1, 7}}},
		{"ä¸Šæµ·", []found{{Mojibake, "ä¸Šæµ·", "上海", 1, 1}}},
		{"ÐœÐ¾Ñ\u0081ÐºÐ²Ð°", []found{{Mojibake, "ÐœÐ¾Ñ\u0081ÐºÐ²Ð°", "Москва", 1, 1}}},
		{"浣犲ソ", []found{{Mojibake, "浣犲ソ", "你好", 1, 1}}},
		{"Name: 涓婃捣鐢靛櫒", []found{{Mojibake, "涓婃捣鐢靛櫒", "上海电器", 1, 7}}},
		{"ÄãºÃ", []found{{Mojibake, "ÄãºÃ", "你好", 1, 1}}},
		{"客户锟斤拷名称", []found{{Mojibake, "锟斤拷", "锟斤拷", 1, 3}}},
		{"na\xffme and \ufffd", []found{{Mojibake, "\xff", "\xff", 1, 3}, {Mojibake, "\ufffd", "\ufffd", 1, 11}}},
		{"see 48656c6c6f20576f726c6421 there", []found{{Hex, "48656c6c6f20576f726c6421", "", 1, 5}}},
		{"客户百资料\n保存度在\n系统回里面", []found{{Stray, "百", "", 1, 3}, {Stray, "度", "", 2, 3}, {Stray, "回", "", 3, 3}}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, shown(tt.text)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.text, diff)
		}
	}
}

// TestCleanTextRaisesNoAlarm: ordinary writing of many kinds.
func TestCleanTextRaisesNoAlarm(t *testing.T) {
	for line := range strings.SplitSeq(read(t, "clean.txt")+read(t, "quiet.txt"), "\n") {
		if list := shown(line); len(list) > 0 {
			t.Errorf("%q: %+v, want nothing", line, list)
		}
	}
	if list := shown(read(t, "clean.txt") + read(t, "quiet.txt")); len(list) > 0 {
		t.Errorf("all lines as one text: %+v, want nothing", list)
	}
}

// TestAdvertIsToldByStandingUnderMany: three texts, a body of their own each.
func TestAdvertIsToldByStandingUnderMany(t *testing.T) {
	ad := "更多精彩内容请访问 www.acme.example 网站。"
	texts := []string{"客户想要一份合同。" + ad, "上个月的订单还没有付款。" + ad, "电话已经换了号码。" + ad, "客户想要一份合同。"}
	got := DetectAll(texts)
	for i, list := range got[:3] {
		if len(list) != 1 || list[0].Kind != Advert || Clean(texts[i], list) != strings.TrimSuffix(texts[i], ad) {
			t.Errorf("text %d: %+v, want the advert alone", i, list)
		}
	}
	if len(got[3]) > 0 {
		t.Errorf("the text without: %+v, want nothing", got[3])
	}
	for _, quiet := range [][]string{
		texts[:2],
		{texts[0], texts[0], texts[0]}, // the same text three times
		{"Paid on Monday. Kind regards, Ann Lee", "Paid on Tuesday. Kind regards, Ann Lee", "Paid on Friday. Kind regards, Ann Lee"},
		{"www.acme.example", "www.acme.example", "www.acme.example"},
	} {
		for i, list := range DetectAll(quiet) {
			if len(list) > 0 {
				t.Errorf("%q: %+v, want nothing", quiet[i], list)
			}
		}
	}
}

// TestMarkIsFoundOverManyRecords: one character in each.
func TestMarkIsFoundOverManyRecords(t *testing.T) {
	texts := []string{"客户百资料", "Acme Ltd", "保存度在这里", "系统回里面"}
	for i, want := range []int{1, 0, 1, 1} {
		if got := DetectAll(texts)[i]; len(got) != want {
			t.Errorf("text %d: %+v, want %d findings", i, got, want)
		}
		if got := Detect(texts[i]); len(got) != 0 {
			t.Errorf("text %d alone: %+v, want nothing", i, got)
		}
	}
}

func TestTimeIsLinear(t *testing.T) {
	for _, unit := range []string{"百 度 回 ", "Ã©", "浣犲ソ", "62616964757a686964616f ", "\u200b", "\xff", "a. www. ", "6", "锟斤拷", "答", "\n"} {
		s := strings.Repeat(unit, 400_000/len(unit))
		if list := Detect(s); Clean(s, list) == "" && len(list) == 0 {
			t.Errorf("%q again and again: nothing", unit)
		}
	}
}

func FuzzDetect(f *testing.F) {
	for _, s := range []string{"以各种62616964757a686964616f方式对自愿", "FranÃ§ois", "浣犲ソ", "\xff\u200b", "客户百资料\n保存度在\n系统回里面", "a. www.\nb. www.\nc. www."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		end := 0
		list := Detect(s)
		for _, x := range list {
			if x.From < end || x.To <= x.From || x.To > len(s) || x.What == "" {
				t.Fatalf("%q: finding %+v overlaps, is empty or leaves the text", s, x)
			}
			if x.Lost && x.Put != s[x.From:x.To] {
				t.Fatalf("%q: %+v proposes something for what is lost", s, x)
			}
			end = x.To
		}
		if utf8.ValidString(s) && !utf8.ValidString(Clean(s, list)) {
			t.Fatalf("%q cleaned is no UTF-8", s)
		}
	})
}
