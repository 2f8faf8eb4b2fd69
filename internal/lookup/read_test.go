package lookup

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"touchstone/internal/record"
)

func TestReadTakesTextsAndPoints(t *testing.T) {
	obj, err := record.DecodeObject([]byte(`{"limit": 7, "fields": {
		"name": " 上海美跃 ", "employees": 12, "status": null, "industry": "",
		"phone": "1", "phones": ["2", {"value": "3", "kind": "work"}, ""],
		"ids": {"scheme": "uscc", "value": "9"}, "addresses": [{"line": "Oak 5", "city": "Leeds"}, {"city": " "}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	got, err := Own(nil).Read("", obj)
	if err != nil {
		t.Fatal(err)
	}
	want := Query{Entity: record.Company, Limit: 7, Fields: record.Fields{
		"name": record.TextValue("上海美跃"), "employees": record.TextValue("12"),
		"phones":    record.ListValue(record.Point{Value: "1"}, record.Point{Value: "2"}, record.Point{Value: "3", Kind: "work"}),
		"ids":       record.ListValue(record.Point{Value: "9", Parts: map[string]string{"scheme": "uscc"}}),
		"addresses": record.ListValue(record.Point{Parts: map[string]string{"line": "Oak 5", "city": "Leeds"}}),
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("question (-want +got):\n%s", diff)
	}
}

func TestFromArgsPutsPartsTogether(t *testing.T) {
	got, err := Own(nil).FromArgs(record.Person, []string{
		"full_name=张伟", "address.city=上海", "address=锦绣路969号", "addresses.city=Leeds", "id.uscc=91", "id=X1", "id.lei=5", "phone=1", "phone=2=3", "email= ",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := record.Fields{
		"full_name": record.TextValue("张伟"),
		"addresses": record.ListValue(record.Point{Value: "锦绣路969号", Parts: map[string]string{"city": "Leeds"}}),
		"ids": record.ListValue(record.Point{Value: "91", Parts: map[string]string{"scheme": "uscc"}}, record.Point{Value: "X1"},
			record.Point{Value: "5", Parts: map[string]string{"scheme": "lei"}}),
		"phones": record.ListValue(record.Point{Value: "1"}, record.Point{Value: "2=3"}),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	two, err := Own(nil).FromPaths(record.Company, []Value{{"addresses.city", []string{"A", "", "B"}}, {"addresses.postcode", []string{"1", "2"}}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(record.ListValue(record.Point{Parts: map[string]string{"city": "A", "postcode": "1"}}, record.Point{Parts: map[string]string{"city": "B", "postcode": "2"}}), two["addresses"]); diff != "" {
		t.Errorf("two addresses (-want +got):\n%s", diff)
	}
}

func TestProblemsNameThePlaceInBothLanguages(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"name= "}, "there is no value to look for"},
		{[]string{"colour=red"}, "colour is no field of a company; these are: name, legal_name"},
		{[]string{"name.first=x"}, "name.first is no part of name"},
		{[]string{"addresses.town=x"}, "addresses.town is no part of addresses; these are: line"},
		{[]string{"name=" + strings.Repeat("x", MaxValue+1)}, "name is longer than 4000 bytes"},
		{append([]string{"name=x"}, strings.Fields(strings.Repeat("phone=1 ", MaxEntries+1))...), "phones has more than 50 entries"},
	} {
		_, err := Own(nil).FromArgs(record.Company, tt.args)
		var p *Problem
		if !errors.As(err, &p) || !strings.Contains(p.Error(), tt.want) || p.Zh == "" {
			t.Errorf("%.60v: %v, want %q and the same in Chinese", tt.args, err, tt.want)
		}
	}
}

func TestShallowCountsBracketsOutsideTexts(t *testing.T) {
	for _, tt := range []struct {
		text string
		ok   bool
	}{
		{`{"queries":{"a":{"fields":{"phones":[{"value":"1"}]}}}}`, true},
		{`{"name":"[[[[[[[[[[[[ \" [[[[[[[[["}`, true},
		{strings.Repeat(`[`, maxDepth) + strings.Repeat(`]`, maxDepth), true},
		{strings.Repeat(`[`, maxDepth+1), false},
		{strings.Repeat(`{"a":`, maxDepth+1), false},
		{strings.Repeat(`[]`, 1000), true},
		{`"\`, true},
	} {
		if err := Shallow([]byte(tt.text)); (err == nil) != tt.ok {
			t.Errorf("Shallow(%.40s): %v, want ok %v", tt.text, err, tt.ok)
		}
	}
}

// FuzzRead: no JSON makes it panic, what it takes is bounded, and what it refuses
// it refuses with a place or a text.
func FuzzRead(f *testing.F) {
	f.Add(`{"entity":"company","fields":{"name":"x","phones":["1",{"value":"2"}]},"limit":3}`)
	f.Add(`{"entity":"person","fields":{"addresses":{"city":"上海"},"ids":[{"scheme":"uscc","value":1e400}]}}`)
	f.Add(`{"fields":{"name":[[[[]]]],"id":null}}`)
	f.Fuzz(func(t *testing.T, text string) {
		obj, err := record.DecodeObject([]byte(text))
		if err != nil || Shallow([]byte(text)) != nil {
			return
		}
		q, err := Own(nil).Read("", obj)
		if err != nil {
			var p *Problem
			if !errors.As(err, &p) || p.En == "" || p.Zh == "" {
				t.Fatalf("error %#v, want a problem in both languages", err)
			}
			return
		}
		if len(q.Fields) == 0 || q.Limit < 1 || q.Limit > MaxLimit {
			t.Fatalf("question %+v", q)
		}
		for name, v := range q.Fields {
			if len(v.Text) > MaxValue || len(v.Points) > MaxEntries || v.Blank() {
				t.Fatalf("%s: %+v", name, v)
			}
		}
	})
}
