package golden

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"touchstone/internal/record"
)

func day(n int) string { return fmt.Sprintf("2026-01-%02dT00:00:00.000000Z", n) }

// one makes a live member with one field.
func one(source, id string, v record.Value, since int) Member {
	return Member{Ref: record.Ref{Source: source, Entity: "company", ID: id}, Live: true, Authored: Authored{"f": {Value: v, Since: day(since), Version: 1}}}
}

func text(source, value string, since int) Member {
	return one(source, value, record.TextValue(value), since)
}

// with adds a filled field, so that the member is more complete.
func with(m Member, fields ...string) Member {
	for _, f := range fields {
		m.Authored[f] = Field{Value: record.TextValue("x"), Since: day(1)}
	}
	return m
}

func losing(p Provenance) string {
	var out []string
	for _, l := range p.Losers {
		out = append(out, l.Value.Text)
	}
	return strings.Join(out, " ")
}

func TestEveryStrategy(t *testing.T) {
	number := func(source, v string, since int) Member { return one(source, v, record.NumberValue(v), since) }
	date := func(source, v string, since int) Member { return one(source, v, record.DateValue(v), since) }
	rank := map[string]int{"a": 0, "b": 1, "c": 2}
	for _, tt := range []struct {
		name       string
		strategies []Strategy
		members    []Member
		want       string
		rule       string
		losers     string // best first
	}{
		{"only one", nil, []Member{text("a", "x", 1)}, "x", "only", ""},
		{"all the same", nil, []Member{text("b", "x", 1), text("a", "x", 2)}, "x", "source_rank", ""},
		{"default: rank before recency", nil, []Member{text("b", "new", 9), text("a", "old", 1)}, "old", "source_rank", "new"},
		{"default: recency within a rank", nil, []Member{text("a", "old", 1), text("a", "new", 9)}, "new", "most_recent", "old"},
		{"source rank", []Strategy{SourceRank}, []Member{text("c", "z", 9), text("b", "y", 1)}, "y", "source_rank", "z"},
		{"source without a rank comes last", []Strategy{SourceRank}, []Member{text("zz", "z", 9), text("c", "y", 1)}, "y", "source_rank", "z"},
		{"most recent", []Strategy{MostRecent}, []Member{text("a", "old", 1), text("c", "new", 2), text("b", "mid", 1)}, "new", "most_recent", "old mid"},
		{"most frequent", []Strategy{MostFrequent}, []Member{text("a", "rare", 9), text("b", "usual", 1), one("c", "2", record.TextValue("usual"), 1)}, "usual", "most_frequent", "rare"},
		{"longest", []Strategy{Longest}, []Member{text("a", "short", 9), text("c", "very long", 1), text("b", "middle", 1)}, "very long", "longest", "middle short"},
		{"longest counts letters, not bytes", []Strategy{Longest}, []Member{text("a", "宁波公司", 1), text("b", "abcde", 1)}, "abcde", "longest", "宁波公司"},
		{"most complete", []Strategy{MostComplete}, []Member{text("a", "poor", 9), with(text("c", "rich", 1), "g", "h"), with(text("b", "mid", 1), "g")}, "rich", "most_complete", "mid poor"},
		{"min of numbers", []Strategy{Min}, []Member{number("a", "10", 1), number("b", "9", 1), number("c", "9.5", 1)}, "9", "min", "9.5 10"},
		{"max of numbers", []Strategy{Max}, []Member{number("a", "9", 1), number("b", "10", 1), number("c", "-11", 1)}, "10", "max", "9 -11"},
		{"max of dates", []Strategy{Max}, []Member{date("a", "2001-02-03", 1), date("b", "2001-12-01", 1)}, "2001-12-01", "max", "2001-02-03"},
		{"min of texts", []Strategy{Min}, []Member{text("a", "b", 1), text("b", "a", 1)}, "a", "min", "b"},
		{"max with an exponent", []Strategy{Max}, []Member{number("a", "9e2", 1), number("b", "1000000", 1)}, "1000000", "max", "9e2"},
		{"min with an exponent", []Strategy{Min}, []Member{number("a", "10", 1), number("b", "9", 1), number("c", "5e1", 1)}, "9", "min", "10 5e1"},
		{"an exponent that would fill the memory", []Strategy{Max}, []Member{number("a", "2", 1), number("b", "1e999999999", 1)}, "1e999999999", "max", "2"},
		{"max of a number and of what a table has as text", []Strategy{Max}, []Member{number("a", "9", 1), text("b", "10", 1)}, "10", "max", "9"},
		{"the second strategy decides", []Strategy{MostFrequent, Longest}, []Member{text("a", "x", 9), text("b", "yy", 1)}, "yy", "longest", "x"},
		{"a tie: recency first", []Strategy{Longest}, []Member{text("a", "xx", 1), text("b", "yy", 2)}, "yy", "tie", "xx"},
		{"a tie: then rank", []Strategy{Longest}, []Member{text("b", "xx", 1), text("a", "yy", 1)}, "yy", "tie", "xx"},
		// sha256 of "aa" as JSON begins d3, of "bb" 60
		{"a tie: then the value's hash", []Strategy{Longest}, []Member{text("a", "aa", 1), text("a", "bb", 1)}, "bb", "tie", "aa"},
		{"an unknown strategy prefers nothing", []Strategy{"alphabetical"}, []Member{text("a", "x", 1), text("b", "y", 2)}, "y", "tie", "x"},
	} {
		p := Policy{Rank: rank}
		if tt.strategies != nil {
			p.Strategies = map[string][]Strategy{"f": tt.strategies}
		}
		for range 5 {
			rand.Shuffle(len(tt.members), func(i, j int) { tt.members[i], tt.members[j] = tt.members[j], tt.members[i] })
			got := Build(tt.members, nil, p)
			if got.Fields["f"].Text != tt.want || got.Provenance["f"].Rule != tt.rule || losing(got.Provenance["f"]) != tt.losers {
				t.Errorf("%s: %q by %s, losers %q; want %q by %s, losers %q", tt.name,
					got.Fields["f"].Text, got.Provenance["f"].Rule, losing(got.Provenance["f"]), tt.want, tt.rule, tt.losers)
			}
		}
	}
}

func TestProvenanceNamesTheWinner(t *testing.T) {
	a, b := text("a", "x", 3), text("b", "y", 5)
	a.Authored["f"] = Field{Value: record.TextValue("x"), Since: day(3), Version: 7}
	got := Build([]Member{b, a}, nil, Policy{Rank: map[string]int{"a": 0, "b": 1}}).Provenance["f"]
	want := Provenance{
		Rule: "source_rank", From: []string{"a/company/x"}, Since: day(3), Version: 7,
		Losers: []Loser{{Value: record.TextValue("y"), From: "b/company/y", Since: day(5), Version: 1}},
	}
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("provenance\n got %+v\nwant %+v", got, want)
	}
}

func TestBlanksNeverWin(t *testing.T) {
	for _, blank := range []record.Value{{}, record.TextValue(""), record.TextValue(" \t\u3000"), record.ListValue(), record.NumberValue("")} {
		for _, s := range []Strategy{SourceRank, MostRecent, MostFrequent, Longest, MostComplete, Min, Max, Union} {
			p := Policy{Strategies: map[string][]Strategy{"f": {s}}, Rank: map[string]int{"a": 0}}
			value := record.TextValue("x")
			if s == Union {
				value = record.ListValue(record.Point{Value: "x"})
			}
			got := Build([]Member{one("a", "1", blank, 9), one("a", "2", blank, 9), one("b", "3", value, 1)}, nil, p)
			if !got.Fields["f"].Equal(value) || len(got.Provenance["f"].Losers) != 0 {
				t.Errorf("%s with the blank %v: %v, losers %v; want %v and none", s, blank, got.Fields["f"], got.Provenance["f"].Losers, value)
			}
		}
		if got := Build([]Member{one("a", "1", blank, 1)}, nil, Policy{}); len(got.Fields) != 0 || len(got.Provenance) != 0 || got.Live != 1 {
			t.Errorf("only the blank %v: %+v, want no field and one live member", blank, got)
		}
	}
}

func TestMembersThatAreNotLiveGiveNothing(t *testing.T) {
	gone := text("a", "gone", 9)
	gone.Live = false
	got := Build([]Member{gone, text("b", "here", 1)}, nil, Policy{})
	if got.Fields.Text("f") != "here" || got.Live != 1 || len(got.Provenance["f"].Losers) != 0 || got.Provenance["f"].Rule != "only" {
		t.Errorf("with a deleted member: %+v, want the live one's value alone", got)
	}
	if got := Build([]Member{gone}, nil, Policy{}); len(got.Fields) != 0 || got.Live != 0 {
		t.Errorf("only a deleted member: %+v, want nothing", got)
	}
	if got := Build(nil, nil, Policy{}); len(got.Fields) != 0 || got.Live != 0 {
		t.Errorf("no member: %+v, want nothing", got)
	}
}

func TestPinsWin(t *testing.T) {
	members := []Member{text("a", "x", 9), text("b", "y", 1)}
	pin := func(v string, at int) Pin {
		return Pin{Field: "f", Value: record.TextValue(v), Who: "ann", At: day(at)}
	}
	for _, tt := range []struct {
		name   string
		pins   []Pin
		want   string
		losers string
	}{
		{"over every source", []Pin{pin("p", 2)}, "p", "x y"},
		{"the newest of two", []Pin{pin("p", 2), pin("q", 3)}, "q", "p x y"},
		{"equal to the winner", []Pin{pin("x", 2)}, "x", "y"},
		{"equal to a loser", []Pin{pin("y", 2)}, "y", "x"},
		{"over an equal pin", []Pin{pin("p", 2), pin("x", 3), pin("p", 4)}, "p", "x y"},
	} {
		got := Build(members, tt.pins, Policy{Rank: map[string]int{"a": 0, "b": 1}})
		prov := got.Provenance["f"]
		if got.Fields.Text("f") != tt.want || prov.Rule != "pin" || prov.Who != "ann" || prov.Since != tt.pins[len(tt.pins)-1].At {
			t.Errorf("%s: %q, %+v; want %q by a pin of ann", tt.name, got.Fields.Text("f"), prov, tt.want)
		}
		if losing(prov) != tt.losers {
			t.Errorf("%s: losers %q, want %q", tt.name, losing(prov), tt.losers)
		}
	}
	got := Build(nil, []Pin{pin("p", 1)}, Policy{})
	if got.Fields.Text("f") != "p" || len(got.Provenance["f"].Losers) != 0 {
		t.Errorf("a pin on a field that no source has: %+v", got)
	}
}

func list(values ...string) record.Value {
	var points []record.Point
	for _, v := range values {
		kind := ""
		if i := strings.IndexByte(v, '/'); i >= 0 {
			v, kind = v[:i], v[i+1:]
		}
		points = append(points, record.Point{Value: v, Kind: kind})
	}
	return record.ListValue(points...)
}

func TestUnionNamesEveryEntryOnce(t *testing.T) {
	sameDigits := func(field string, p record.Point) string {
		return strings.Map(func(r rune) rune {
			if r < '0' || r > '9' {
				return -1
			}
			return r
		}, p.Value)
	}
	rank := map[string]int{"a": 0, "b": 1}
	for _, tt := range []struct {
		name    string
		same    func(string, record.Point) string
		members []Member
		want    string
		from    string
	}{
		{"preferred members first", nil, []Member{one("b", "2", list("x", "y"), 9), one("a", "1", list("z"), 1)}, "z x y", "a/company/1|b/company/2|b/company/2"},
		{"an entry of both once", nil, []Member{one("b", "2", list("x", "y"), 9), one("a", "1", list("y"), 1)}, "y x", "a/company/1 b/company/2|b/company/2"},
		{"an entry twice in one member is one voice", nil, []Member{one("a", "1", list("x", "x"), 1)}, "x", "a/company/1"},
		{"another kind is another entry", nil, []Member{one("a", "1", list("x/work", "x/home"), 1)}, "x x", "a/company/1|a/company/1"},
		{"two spellings are one", sameDigits, []Member{one("b", "2", list("+1 2 3"), 9), one("a", "1", list("123", "4"), 1)}, "123 4", "a/company/1 b/company/2|a/company/1"},
		{"what has no standard form stands for itself", sameDigits, []Member{one("a", "1", list("none", "nil"), 1)}, "none nil", "a/company/1|a/company/1"},
		{"a single value joins a list", nil, []Member{one("b", "2", list("x", "y"), 9), one("a", "1", record.TextValue("z"), 1)}, "z x y", "a/company/1|b/company/2|b/company/2"},
		{"also a newer one", nil, []Member{one("b", "2", list("x"), 1), one("b", "1", record.NumberValue("7"), 9)}, "7 x", "b/company/1|b/company/2"},
		{"newer first within a rank", nil, []Member{one("a", "1", list("old"), 1), one("a", "2", list("new"), 2)}, "new old", "a/company/2|a/company/1"},
	} {
		for range 4 {
			rand.Shuffle(len(tt.members), func(i, j int) { tt.members[i], tt.members[j] = tt.members[j], tt.members[i] })
			got := Build(tt.members, nil, Policy{Rank: rank, Same: tt.same})
			var values []string
			for _, p := range got.Fields["f"].Points {
				values = append(values, p.Value)
			}
			prov := got.Provenance["f"]
			if strings.Join(values, " ") != tt.want || strings.Join(prov.From, "|") != tt.from || prov.Rule != "union" {
				t.Errorf("%s: %q from %q by %s; want %q from %q by union", tt.name, values, prov.From, prov.Rule, tt.want, tt.from)
			}
		}
	}
}

func TestBuildLeavesItsInputAlone(t *testing.T) {
	members := []Member{one("b", "2", list("x", "y"), 9), one("a", "1", list("y"), 1), text("a", "t", 1)}
	before := fmt.Sprintf("%+v", members)
	Build(members, []Pin{{Field: "f", Value: record.TextValue("p")}}, Policy{})
	if after := fmt.Sprintf("%+v", members); after != before {
		t.Errorf("Build changed its members:\n%s\n%s", before, after)
	}
}

// drawMember makes a member with a few fields of every kind, from few enough
// values that ties are usual.
func drawMember(t *rapid.T, i int) Member {
	m := Member{
		Ref:  record.Ref{Source: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "source"), Entity: "company", ID: fmt.Sprint(i)},
		Live: rapid.IntRange(0, 4).Draw(t, "live") > 0, Authored: Authored{},
	}
	value := map[string]func() record.Value{
		"text": func() record.Value {
			return record.TextValue(rapid.SampledFrom([]string{"", "x", "yy", "zz"}).Draw(t, "text"))
		},
		"number": func() record.Value {
			return record.NumberValue(rapid.SampledFrom([]string{"1", "1.0", "2", "1e3"}).Draw(t, "number"))
		},
		"list": func() record.Value {
			return list(rapid.SliceOfN(rapid.SampledFrom([]string{"p", "P", "q/work", "q/home"}), 0, 3).Draw(t, "list")...)
		},
		"date": func() record.Value {
			return record.DateValue(rapid.SampledFrom([]string{"2001-01-01", "2002-01-01"}).Draw(t, "date"))
		},
	}
	for _, name := range []string{"text", "number", "list", "date"} {
		if rapid.IntRange(0, 3).Draw(t, "has") > 0 {
			m.Authored[name] = Field{Value: value[name](), Since: day(rapid.IntRange(1, 3).Draw(t, "since")), Version: rapid.IntRange(1, 2).Draw(t, "version")}
		}
	}
	return m
}

func drawPolicy(t *rapid.T) Policy {
	p := Policy{
		Rank: map[string]int{"a": 0, "b": 1}, Strategies: map[string][]Strategy{},
		Same: func(_ string, pt record.Point) string { return strings.ToLower(pt.Value) },
	}
	all := []Strategy{SourceRank, MostRecent, MostFrequent, Longest, MostComplete, Min, Max}
	for _, field := range []string{"text", "number", "date"} {
		p.Strategies[field] = rapid.SliceOfN(rapid.SampledFrom(all), 0, 3).Draw(t, "strategies")
	}
	p.Strategies["list"] = append([]Strategy{Union}, rapid.SliceOfN(rapid.SampledFrom(all), 0, 2).Draw(t, "strategies")...)
	return p
}

// TestOrderOfMembersNeverMatters shuffles the members of each drawn cluster
// ten times; rapid draws a hundred clusters.
func TestOrderOfMembersNeverMatters(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var members []Member
		for i := range rapid.IntRange(1, 7).Draw(t, "members") {
			members = append(members, drawMember(t, i))
		}
		p := drawPolicy(t)
		want := fmt.Sprintf("%+v", Build(members, nil, p))
		for seed := range uint64(10) {
			shuffled := slices.Clone(members)
			rand.New(rand.NewPCG(seed, 0)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			if got := fmt.Sprintf("%+v", Build(shuffled, nil, p)); got != want {
				t.Fatalf("another order of the members, another record:\n%s\n%s", got, want)
			}
		}
	})
}
