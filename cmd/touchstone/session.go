package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/text"

	"touchstone/matching/label"
)

// question is one pair to ask.
type question struct {
	a, b string
	show func() shownPair // made when it is asked
}

// shownPair is a pair side by side.
type shownPair struct {
	fields      [][3]string // field, value here, value there
	weight      float64     // bits
	probability float64
}

// keeper takes the answers, each at once.
type keeper interface {
	answer(ctx context.Context, q question, a label.Answer) error
	back(ctx context.Context) error // takes the last answer of this session out again
	done() string                   // the file that the answers are in; "" for the store
}

// session asks questions in their order.
type session struct {
	c         *cli
	lang      string
	keep      keeper
	questions []question
}

func newSession(c *cli, lang string, keep keeper) *session {
	return &session{c: c, lang: lang, keep: keep}
}

// askWords are what a session says, in English and in simplified Chinese.
func askWords(key, lang string) string {
	w := map[string][2]string{
		"none":  {"no pair is left to ask", "没有需要询问的记录对"},
		"head":  {"Pair %d of %d: %s and %s, probability %.2f", "第 %d 对，共 %d 对：%s 与 %s，概率 %.2f"},
		"ask":   {"one customer? y(es) n(o) u(nsure) b(ack) q(uit): ", "是同一客户吗？y 是  n 否  u 不确定  b 返回  q 退出："},
		"what":  {"y, n, u, b or q, please", "请输入 y、n、u、b 或 q"},
		"first": {"this is the first pair of this session", "这是本次的第一对"},
		"end":   {"%s: %d same, %d different, %d unsure; kept in %s", "共 %s：相同 %d，不同 %d，不确定 %d；保存在 %s"},
		"store": {"the store", "存储库"},
	}[key]
	if lang == "zh" {
		return w[1]
	}
	return w[0]
}

// keys are what may be typed, in either language.
func answerKeys() map[string]label.Answer {
	return map[string]label.Answer{
		"y": label.Same, "yes": label.Same, "是": label.Same, "n": label.Different, "no": label.Different, "否": label.Different,
		"u": label.Unsure, "unsure": label.Unsure, "不确定": label.Unsure,
	}
}

// tally is what a session came to.
type tally struct {
	Same      int    `json:"same"`
	Different int    `json:"different"`
	Unsure    int    `json:"unsure"`
	Kept      string `json:"kept"`
}

func (t *tally) count(a label.Answer, by int) {
	switch a {
	case label.Same:
		t.Same += by
	case label.Different:
		t.Different += by
	default:
		t.Unsure += by
	}
}

// errQuit ends a session.
var errQuit = errors.New("quit")

// run asks until all is answered, the reader ends or somebody quits.
func (s *session) run(ctx context.Context, from io.Reader) error {
	ask := s.c.out
	if s.c.json {
		ask = s.c.err // what is printed at the end is for programs
	}
	if len(s.questions) == 0 {
		fmt.Fprintln(ask, askWords("none", s.lang))
	}
	in := bufio.NewScanner(from)
	var t tally
	var given []label.Answer
	for i := 0; i < len(s.questions) && ctx.Err() == nil; {
		s.put(ask, i)
		a, back, err := s.read(ask, in)
		switch {
		case errors.Is(err, errQuit):
			i = len(s.questions)
		case err != nil:
			return err
		case back && len(given) == 0:
			fmt.Fprintln(ask, askWords("first", s.lang))
		case back:
			if err := s.keep.back(ctx); err != nil {
				return err
			}
			t.count(given[len(given)-1], -1)
			given = given[:len(given)-1]
			i--
		default:
			if err := s.keep.answer(ctx, s.questions[i], a); err != nil {
				return err
			}
			t.count(a, 1)
			given = append(given, a)
			i++
		}
	}
	t.Kept = cmp.Or(s.keep.done(), askWords("store", "en"))
	return errors.Join(ctx.Err(), s.c.print(t, func() {
		n := t.Same + t.Different + t.Unsure
		all, kept := plural(n, "answer"), cmp.Or(s.keep.done(), askWords("store", s.lang))
		if s.lang == "zh" {
			all = fmt.Sprintf("%d 个回答", n)
		}
		fmt.Fprintf(s.c.out, askWords("end", s.lang)+"\n", all, t.Same, t.Different, t.Unsure, kept)
	}))
}

// read gives the next answer, or that the last is to be taken back.
func (s *session) read(ask io.Writer, in *bufio.Scanner) (a label.Answer, back bool, err error) {
	for {
		fmt.Fprint(ask, askWords("ask", s.lang))
		if !in.Scan() {
			fmt.Fprintln(ask)
			return "", false, errors.Join(errQuit, in.Err())
		}
		key := strings.ToLower(strings.TrimSpace(in.Text()))
		switch key {
		case "q", "quit", "退出":
			return "", false, errQuit
		case "b", "back", "返回":
			return "", true, nil
		}
		if a, ok := answerKeys()[key]; ok {
			return a, false, nil
		}
		fmt.Fprintln(ask, askWords("what", s.lang))
	}
}

// bare is a text without its punctuation and spaces, in small letters.
func bare(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, s)
}

// put shows one pair side by side. A sign says of each field whether the two are
// equal, equal but for capitals, spaces and punctuation, or differ, so that it
// can be seen without colour.
func (s *session) put(w io.Writer, i int) {
	q := s.questions[i]
	p := q.show()
	fmt.Fprintf(w, "\n"+askWords("head", s.lang)+"\n", i+1, len(s.questions), plain(q.a), plain(q.b), p.probability)
	width := [3]int{}
	for _, f := range p.fields {
		for k, value := range f {
			width[k] = min(max(width[k], text.StringWidthWithoutEscSequences(plain(value))), 48)
		}
	}
	for _, f := range p.fields {
		sign := "  "
		switch {
		case f[1] == f[2]:
			sign = "= "
		case f[1] != "" && f[2] != "" && bare(f[1]) == bare(f[2]):
			sign = "≈ "
		case f[1] != "" && f[2] != "":
			sign = "≠ "
		}
		fmt.Fprintf(w, "  %s%s  %s  %s\n", sign, text.Pad(plain(f[0]), width[0], ' '), text.Pad(plain(f[1]), width[1], ' '), plain(f[2]))
	}
}
