package app

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"touchstone/config"
	"touchstone/internal/pipeline"
	"touchstone/internal/record"
	"touchstone/internal/web"
	"touchstone/rules/schema"
)

func TestTypedValuesTakeTheirForm(t *testing.T) {
	for _, tt := range []struct {
		entity, field, typed, country string
		allowed                       []string
		want, wrong                   string // one of them
	}{
		{field: "country", typed: "UK", want: "GB"},
		{field: "country", typed: "中国", want: "CN"},
		{field: "country", typed: "Deutschland", want: "DE"},
		{field: "country", typed: "Germny", wrong: "DE (Germany)"},
		{field: "country", typed: "XX", wrong: "is no country"},
		{field: "founded", typed: "31.12.2020", want: "2020-12-31"},
		{field: "founded", typed: "2020年12月31日", want: "2020-12-31"},
		{field: "founded", typed: "31.13.2020x", wrong: "is a date"},
		{field: "phones", typed: "020 7946 0009", country: "GB", want: "+442079460009"},
		{field: "phones", typed: "+44 (20) 7946-0009", want: "+44 (20) 7946-0009"},
		{field: "phones", typed: "0044 20 7946 0009", want: "+442079460009"},
		{field: "phones", typed: "+44 20 7946 0009 ext 12", want: "+442079460009 ext. 12"},
		{field: "phones", typed: "020 7946 0009", wrong: "begin with + and the country's code, such as +49"},
		{field: "phones", typed: "at the office", country: "GB", wrong: "is no telephone number"},
		{field: "emails", typed: "Ann Lee <Ann.Lee+Sales@Example.COM>", want: "ann.lee+sales@example.com"},
		{field: "emails", typed: "ann at example", wrong: "is no e-mail address"},
		{field: "website", typed: "WWW.Example.com/", want: "www.example.com"},
		{field: "website", typed: "https://Shop.example.com/A/b?c=D", want: "https://shop.example.com/A/b?c=D"},
		{field: "website", typed: "not a site", wrong: "is a web address"},
		{field: "website", typed: "https://例子.公司/关于", want: "https://例子.公司/关于"},
		{field: "website", typed: "Bücher.example.de/A", want: "bücher.example.de/A"},
		{field: "website", typed: "javascript://example.com/x", wrong: "is a web address"},
		{field: "emails", typed: "mailto:ann@example.com?subject=hi", want: "ann@example.com"},
		{field: "emails", typed: "ann＠example.com", want: "ann@example.com"},
		{field: "emails", typed: "a@example.com、b@example.com", wrong: "is no e-mail address"},
		{field: "emails", typed: "a@example.com/b@example.com", wrong: "is no e-mail address"},
		{field: "emails", typed: "ann@example.com.", wrong: "is no e-mail address"},
		{field: "phones", typed: "+49 30 1234567 / +49 170 7654321", wrong: "two numbers are two entries"},
		{field: "phones", typed: "+44 113 496 0001", want: "+44 113 496 0001"},
		{field: "ids", typed: `{"value": "213800WSGIIZCXF1P573", "scheme": "LEI"}`, wrong: "check digit is wrong, 72 was expected and 73 stands there"},
		{field: "ids", typed: `{"value": "2138-00WSGIIZCXF1P572", "scheme": "LEI"}`, want: "lei 213800WSGIIZCXF1P572"},
		{field: "ids", typed: `{"value": "HRB 13085", "scheme": "registry"}`, want: "registry HRB 13085"},
		{field: "addresses", typed: `{"line": "1 Weir Lane", "city": "Leeds", "country": "England"}`, want: "1 Weir Lane, Leeds, GB"},
		{field: "addresses", typed: "1 Weir Lane, Leeds", want: "1 Weir Lane, Leeds"},
		{field: "status", typed: "ACTIVE", allowed: []string{"active", "closed"}, want: "active"},
		{field: "status", typed: "activ", allowed: []string{"active", "closed"}, wrong: "nearest are active, closed"},
		{field: "industry", typed: "Tool making", want: "Tool making"},
		{entity: record.Person, field: "birth_date", typed: "5.6.78", want: "1978-06-05"},
	} {
		if tt.entity == "" {
			tt.entity = record.Company
		}
		spec, ok := record.Spec(tt.entity, tt.field)
		if !ok {
			t.Fatalf("no field %s", tt.field)
		}
		v, err := ParsePinned(spec, tt.typed)
		if err == nil {
			v, err = canonical(spec, v, tt.country, tt.allowed)
		}
		if tt.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), tt.wrong) {
				t.Errorf("%s %q gave %q and %v, want it refused with %q", tt.field, tt.typed, ShowValue(v), err, tt.wrong)
			}
			continue
		}
		if err != nil || ShowValue(v) != tt.want {
			t.Errorf("%s %q gave %q and %v, want %q", tt.field, tt.typed, ShowValue(v), err, tt.want)
			continue
		}
		if again, err := canonical(spec, v, "", tt.allowed); err != nil || !again.Equal(v) {
			t.Errorf("%s %q: what was given, given again, gave %q and %v, want %q", tt.field, tt.typed, ShowValue(again), err, ShowValue(v))
		}
	}
}

// TestPinShowsTheFormBeforeItTakesIt: a page asks first, a program is told; the
// trail says what was typed for a code, and of all else only that it was another
// form.
func TestPinShowsTheFormBeforeItTakesIt(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, _ := apart(t, dsn)
		id := w.golden("desk/company/o2").ID
		if look, err := w.app.PreviewPin(t.Context(), PinRequest{Golden: id, Field: "phones", Value: "01904 496 003"}); err != nil || look.As != "+441904496003" {
			t.Errorf("a number of the source's country: %+v, %v", look, err)
		}
		by := web.By{Who: "ann", Why: "they say so"}
		pin := func(f web.PinForm) error {
			f.ID = id
			_, err := w.app.PinField(t.Context(), f, by)
			return err
		}
		country := func() string { return w.golden(id).Fields["country"].Text }
		var p *web.Problem
		err := pin(web.PinForm{Field: "country", Value: "England"})
		if !errors.As(err, &p) || p.Field != "value" || p.Take != "GB" || !strings.Contains(p.Text, `"England" is taken as "GB"`) {
			t.Fatalf("the first time: %v, want the form shown", err)
		}
		if err := pin(web.PinForm{Field: "country", Value: "Deutschland", Seen: "GB"}); !errors.As(err, &p) || p.Take != "DE" {
			t.Errorf("with the form of another value: %v, want its own shown", err)
		}
		if err := pin(web.PinForm{Field: "country", Value: "Deutschland", Seen: "DE"}); err != nil {
			t.Fatalf("once it was seen: %v", err)
		}
		if err := pin(web.PinForm{Field: "country", Value: "Germny"}); !errors.As(err, &p) || p.Take != "" || !strings.Contains(p.Text, "DE (Germany)") {
			t.Errorf("no country: %v, want the nearest codes", err)
		}
		// A person has said the country: it counts before that of the source.
		look, err := w.app.PreviewPin(t.Context(), PinRequest{Golden: id, Field: "phone", Value: "030 1234567"})
		if err != nil || look.As != "+49301234567" || look.Field != "phones" {
			t.Errorf("the look ahead: %+v, %v", look, err)
		}
		d, err := w.app.Pin(t.Context(), PinRequest{Golden: id, Field: "phones", Value: "030 1234567"}, ann)
		if err != nil || d.TakenAs != "+49301234567" {
			t.Errorf("a program's pin: %+v, %v; want what it was taken as", d, err)
		}
		if d, err := w.app.Pin(t.Context(), PinRequest{Golden: id, Field: "industry", Value: "Bakery"}, ann); err != nil || d.TakenAs != "" {
			t.Errorf("a value that needs no form: %+v, %v", d, err)
		}
		w.clean()
		if got := country(); got != "DE" {
			t.Errorf("the country is %q, want DE", got)
		}
		rows, err := w.app.ListAudit(t.Context(), AuditQuery{What: "decision.pin"}, 10)
		if err != nil {
			t.Fatal(err)
		}
		var details []string
		for _, r := range rows {
			details = append(details, r.Detail)
		}
		if got, want := strings.Join(details, "|"), "|typed in another form|typed as Deutschland"; got != want {
			t.Errorf("the trail says %q, newest first, want %q", got, want)
		}
	})
}

// TestAWordIsOneThatStopsNowhere: what is written to a system comes back and has to
// pass its rules, so all systems that a field is written to take the word.
func TestAWordIsOneThatStopsNowhere(t *testing.T) {
	t.Parallel()
	rules := func(words ...string) *pipeline.Deriver {
		d := &pipeline.Deriver{}
		for _, list := range words { // one schema each
			src := `{"type": "object", "properties": {"industry": {"type": "string"}}}`
			if list != "" {
				src = `{"type": "object", "properties": {"industry": {"enum": ["` + strings.ReplaceAll(list, " ", `", "`) + `"]}}}`
			}
			s, err := schema.Compile("x.json", []byte(src))
			if err != nil {
				t.Fatal(err)
			}
			d.Schemas = append(d.Schemas, s)
		}
		return d
	}
	crm, desk, list := rules("", "bakery retail"), rules("bakery cafe"), rules("")
	const industry = "golden.industry"
	for _, tt := range []struct {
		name    string
		rules   map[string]*pipeline.Deriver
		written map[string]string // system: expression
		typed   string
		want    []string
		wrong   string
	}{
		{"written to both", map[string]*pipeline.Deriver{"crm": crm, "desk": desk}, map[string]string{"crm": industry, "desk": industry}, "Bakery", []string{"bakery"}, ""},
		{"no word of either", map[string]*pipeline.Deriver{"crm": crm, "desk": desk}, map[string]string{"crm": industry, "desk": industry}, "baker", []string{"bakery"}, ""},
		{"one stops it", map[string]*pipeline.Deriver{"crm": crm, "desk": desk}, map[string]string{"crm": industry, "desk": industry}, "retail", nil, `"retail" for industry is not allowed in desk, where it is written to; allowed in every such system are bakery`},
		{"no common word", map[string]*pipeline.Deriver{"crm": rules("retail"), "desk": desk}, map[string]string{"crm": industry, "desk": industry}, "retail", nil, "no word for industry is allowed in every system that it is written to: crm: retail, desk: bakery, cafe"},
		{"written to one", map[string]*pipeline.Deriver{"crm": crm, "desk": desk}, map[string]string{"crm": industry, "desk": "golden.name"}, "cafe", []string{"bakery", "retail"}, ""},
		{"written to one, any word of another", map[string]*pipeline.Deriver{"crm": crm, "list": list}, map[string]string{"crm": industry}, "x", []string{"bakery", "retail"}, ""},
		{"written where any word is taken", map[string]*pipeline.Deriver{"crm": crm, "list": list}, map[string]string{"list": industry}, "x", nil, ""},
		{"written nowhere", map[string]*pipeline.Deriver{"crm": crm, "desk": desk}, nil, "x", []string{"bakery", "cafe", "retail"}, ""},
		{"a record passes both schemas", map[string]*pipeline.Deriver{"crm": rules("bakery retail", "retail cafe")}, nil, "x", []string{"retail"}, ""},
		{"not written as it is", map[string]*pipeline.Deriver{"crm": crm, "desk": desk}, map[string]string{"desk": "upper(golden.industry)"}, "x", []string{"bakery", "cafe", "retail"}, ""},
	} {
		a := &App{entities: []*entity{{name: record.Company, derivers: tt.rules}}}
		for _, name := range slices.Sorted(maps.Keys(tt.written)) {
			cfg := config.Target{
				Name: name, Entity: record.Company, Policy: config.UpdateOnly, Owns: []string{"branch"},
				Map: []config.Named{{Name: "branch", Value: config.MapValue{Expr: config.Expr{Text: tt.written[name]}}}},
			}
			plan, bad := pipeline.NewTarget(cfg, name)
			if len(bad) > 0 {
				t.Fatal(bad)
			}
			a.targets = append(a.targets, &target{config: cfg, system: &system{uid: name, source: config.Source{Name: name}}, plan: plan})
		}
		spec, _ := record.Spec(record.Company, "industry")
		got, err := a.allowed(record.Company, spec, tt.typed)
		if tt.wrong == "" && err != nil || tt.wrong != "" && (err == nil || !strings.Contains(err.Error(), tt.wrong)) || !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q gave %q and %v, want %q and %q", tt.name, tt.typed, got, err, tt.want, tt.wrong)
		}
	}
}

// TestWhateverIsTypedIsTakenOnce: what a form was found for is in that form.
func TestWhateverIsTypedIsTakenOnce(t *testing.T) {
	typed := rapid.OneOf(rapid.String(), rapid.StringMatching(`[+0-9 ()/-]{1,18}`), rapid.StringMatching(`[a-z<>@./: ]{1,16}`), rapid.SampledFrom([]string{
		"UK", "中国", `{"value":" "}`, `{"scheme":"lei","value":"-"}`, `{"value":"\u0000","country":"X"}`, `[{"value":"<@>"},{"value":"mailto:"}]`, "http://", "//", "HTTP://[::1",
	}))
	rapid.Check(t, func(t *rapid.T) {
		spec, v, err := parsedPin(t, typed)
		if err != nil {
			return
		}
		if v, err = canonical(spec, v, "GB", nil); err != nil {
			return
		}
		if again, err := canonical(spec, v, "", nil); err != nil || !again.Equal(v) {
			t.Fatalf("%s taken as %s is then taken as %s, %v", spec.Name, v.AppendJSON(nil), again.AppendJSON(nil), err)
		}
	})
}
