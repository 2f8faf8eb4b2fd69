package matching

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"touchstone/internal/record"

	"pgregory.net/rapid"
)

// vehicles is the shape that the tests of entity types of one's own share.
func vehicles() Shape {
	return ShapeOf(map[string]string{
		"vin": KindID, "plate": KindCode, "model": KindName, "mileage": KindNumber, "built": KindDate,
		"colour": KindCategory, "keeper": KindPhone, "depot": KindAddress, "mail": KindEmail, "page": KindWeb, "secret": KindIgnore,
	})
}

func vehicle(fields map[string]string) *Features {
	f := record.Fields{}
	for k, v := range fields {
		f[k] = record.TextValue(v)
	}
	return StandardiseAs("vehicle", vehicles(), f)
}

func vehicleModel(t testing.TB) *Model {
	t.Helper()
	m, err := StartModelOf("vehicle", vehicles())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestOwnStartModelIsAFunctionOfTheShape(t *testing.T) {
	m := vehicleModel(t)
	if again := vehicleModel(t); again.Version != m.Version || m.Fitted() {
		t.Errorf("versions %q and %q, fitted %v: want equal ones that are to start with", m.Version, again.Version, m.Fitted())
	}
	want := "vin model plate built mileage colour"
	if got := strings.Join(m.Names(), " "); !strings.HasSuffix(got, want) || strings.Contains(got, "secret") {
		t.Errorf("fields %q: want those of one kind gathered, then %q, nothing ignored", got, want)
	}
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	read, err := DecodeModel(b)
	if err != nil {
		t.Fatalf("read what was written: %v", err)
	}
	if c, _ := json.Marshal(read); string(c) != string(b) {
		t.Errorf("read and written again:\n%s\nwas\n%s", c, b)
	}
	for _, bad := range []struct{ name, json, want string }{
		{"no fields", `{"version":"a","entity":"vehicle","fields":[]}`, "0 fields"},
		{"no kind", `{"version":"a","entity":"vehicle","fields":[{"name":"vin","levels":[]}]}`, `its kind is ""`},
		{"twice", strings.Replace(string(b), `"name":"plate"`, `"name":"vin"`, 1), "twice"},
		{"level missing", `{"version":"a","entity":"vehicle","fields":[{"name":"vin","kind":"id","levels":[{"name":"same","weight":1}]}]}`, "is missing"},
	} {
		if _, err := DecodeModel([]byte(bad.json)); err == nil || !strings.Contains(err.Error(), bad.want) {
			t.Errorf("%s: error %v, want %q in it", bad.name, err, bad.want)
		}
	}
	if _, err := StartModelOf("vehicle", ShapeOf(map[string]string{"x": KindIgnore})); err == nil || !strings.Contains(err.Error(), "match.fields") {
		t.Errorf("no field: %v, want a word of match.fields", err)
	}
}

func TestOwnLevels(t *testing.T) {
	m := vehicleModel(t)
	for _, tt := range []struct{ field, a, b, want string }{
		{"vin", "WVW ZZZ 1JZ XW000001", "wvwzzz1jzxw000001", "same"},
		{"vin", "WVWZZZ1JZXW000001", "WVWZZZ1JZXW000010", "nearly same"},
		{"vin", "WVWZZZ1JZXW000001", "WVWZZZ1JZXW009871", "different"},
		{"plate", "AB-12 CDE", "AB12CDE", "same"},
		{"plate", "AB12CDE", "AB12CDF", "nearly same"},
		{"plate", "AB12CDE", "12CDE", "contained"},
		{"plate", "AB12CDE", "XY99ZZZ", "different"},
		{"model", "Transporter Kombi", "TRANSPORTER  kombi", "same"},
		{"model", "Kombi Transporter", "Transporter Kombi", "same words"},
		{"model", "Transporter Kombi", "Transportr Kombi", "nearly same"},
		{"model", "Transporter Kombi long", "Transporter Kombi", "contained"},
		{"model", "Transporter T5", "Transporter T6", "another number"},
		{"model", "Volkswagen Transporter lang", "Volkswgaen Trasporter lnag", "alike"},
		{"model", "厢式运输车3号", "厢式运输车4号", "another number"},
		{"model", "東風廂式運輸車", "东风厢式运输车", "same"},
		{"model", "Golf", "Transporter", "different"},
		{"mileage", "12000", "12,0", ""},
		{"mileage", "12000", "12000.0", "same"},
		{"mileage", "12000", "12050", "within 1 %"},
		{"mileage", "12000", "12500", "within 5 %"},
		{"mileage", "12000", "99000", "different"},
		{"built", "2019-03-04", "04.03.2019", "same"},
		{"built", "2019-03-04", "2019-04-03", "day and month swapped"},
		{"built", "2019-03-04", "1990-11-21", "different"},
		{"colour", "Red", "red", "same"},
		{"colour", "red", "blue", "different"},
		{"keeper", "+44 20 7946 0001", "00442079460001", "same"},
		{"mail", "a.long.name@example.com", "A.Long.Name@example.com", "same"},
		{"mail", "one@firm.example.com", "other@firm.example.com", "same own domain"},
		{"page", "https://www.cars.example.com/1", "cars.example.com", "same"},
		{"depot", "12 High Street, Leeds", "12 High St, Leeds", "same"},
	} {
		a, b := vehicle(map[string]string{tt.field: tt.a}), vehicle(map[string]string{tt.field: tt.b})
		for _, pair := range [][2]*Features{{a, b}, {b, a}} {
			got := ""
			for _, p := range m.Explain(pair[0], pair[1])[1:] {
				if !strings.HasPrefix(p.Level, "the value") {
					got += p.Level
				}
				if p.A == "" || p.B == "" {
					t.Errorf("%s %q %q: the values %q and %q are shown, want both", tt.field, tt.a, tt.b, p.A, p.B)
				}
			}
			if got != tt.want {
				t.Errorf("%s: %q and %q are %q, want %q", tt.field, tt.a, tt.b, got, tt.want)
			}
		}
	}
}

// A telephone that two have in two places is that of the house that runs both.
func TestOwnTelephoneOfTwoPlaces(t *testing.T) {
	m := vehicleModel(t)
	at := func(depot string) *Features {
		return vehicle(map[string]string{"model": "Transporter Kombi", "keeper": "+442079460001", "depot": depot})
	}
	level := func(a, b *Features) string {
		for _, p := range m.Explain(a, b) {
			if p.Field == "phones" {
				return p.Level
			}
		}
		return ""
	}
	for _, tt := range []struct{ a, b, want string }{
		{"12 High Street, Leeds", "12 High St, Leeds", "same"},
		{"12 High Street, Leeds", "77 Mill Lane, York", "same, shared"},
		{"12 High Street, Leeds", "", "same"},
	} {
		if got := level(at(tt.a), at(tt.b)); got != tt.want {
			t.Errorf("depots %q and %q: the telephone is %q, want %q", tt.a, tt.b, got, tt.want)
		}
	}
}

func TestOwnVeto(t *testing.T) {
	m := vehicleModel(t)
	a := vehicle(map[string]string{"vin": "WVWZZZ1JZXW000001", "plate": "AB12CDE", "model": "Transporter"})
	b := vehicle(map[string]string{"vin": "WAUZZZ8K9BA123456", "plate": "AB12CDE", "model": "Transporter"})
	if why, veto := m.Veto(a, b); !veto || why != "different vin numbers" {
		t.Errorf("two numbers: veto %v %q, want different vin numbers", veto, why)
	}
	c := vehicle(map[string]string{"vin": "WVWZZZ1JZXW000010", "model": "Transporter"})
	if why, veto := m.Veto(a, c); veto {
		t.Errorf("a slip in the number: veto %q, want none", why)
	}
	if _, veto := m.Veto(a, StandardiseAs("site", vehicles(), record.Fields{})); !veto {
		t.Error("a vehicle and a site: no veto")
	}
}

func TestOwnKeysFindSlips(t *testing.T) {
	a := vehicle(map[string]string{"vin": "WVWZZZ1JZXW000001", "model": "Transporter Kombi lang", "plate": "AB12CDE", "keeper": "+442079460001", "built": "2019-03-04"})
	for _, tt := range []struct{ field, value string }{
		{"vin", "WVWZZZ1JZXW000010"},
		{"model", "Kombi Transporter"},
		{"model", "Transportr Kombi lang"},
		{"plate", "ab 12 cde"},
		{"keeper", "020 7946 0001"},
	} {
		b := vehicle(map[string]string{tt.field: tt.value})
		if tt.field == "keeper" {
			b = vehicle(map[string]string{"keeper": "+44 20 7946 0001"})
		}
		if len(vehicleModel(t).SharedKeys(a, b)) == 0 {
			t.Errorf("%s %q: no key of %v", tt.field, tt.value, b.Keys())
		}
	}
}

// What many things of many names have (a switchboard, an address of a depot) is
// marked as shared, as it is of companies.
func TestOwnSharedValues(t *testing.T) {
	a, b := vehicle(map[string]string{"model": "Golf", "keeper": "+442079460001"}), vehicle(map[string]string{"model": "Passat", "keeper": "+442079460001"})
	if x, y := a.Keys(), b.Keys(); len(x) == 0 || len(y) == 0 {
		t.Fatal("no keys")
	}
	m := vehicleModel(t)
	all := func(uint64) bool { return true }
	shared, alone := m.Weigh(a.Share(all), b.Share(all)), m.Weigh(a, b)
	if shared.Total >= alone.Total {
		t.Errorf("a shared phone weighs %d, one of their own %d: want less", shared.Total, alone.Total)
	}
}

// Whatever stands in the fields, the form reads back, weighing is symmetric and
// an explanation adds up.
func TestOwnAnyValues(t *testing.T) {
	m := vehicleModel(t)
	rapid.Check(t, func(t *rapid.T) {
		draw := func(label string) *Features {
			f := record.Fields{}
			for _, s := range vehicles() {
				if rapid.Bool().Draw(t, label) {
					var list []record.Point
					for range rapid.IntRange(0, 3).Draw(t, label) {
						list = append(list, record.Point{Value: rapid.OneOf(rapid.String(), rapid.StringMatching(`[A-C]{2}[0-9]{0,3} ?[a-c ]{0,9}`), rapid.Just("a\x00b\x01c"), rapid.Just(strings.Repeat("长", 400))).Draw(t, label)})
					}
					f[s.Name] = record.ListValue(list...)
				}
			}
			return StandardiseAs("vehicle", vehicles(), f)
		}
		a, b := draw("a"), draw("b")
		read, err := DecodeFeatures(a.AppendBinary(nil))
		if err != nil {
			t.Fatalf("read back: %v", err)
		}
		if read.Entity() != "vehicle" || fmt.Sprint(read.Keys()) != fmt.Sprint(a.Keys()) || len(a.Keys()) > MaxOwnKeys {
			t.Fatalf("read back as %q with keys %v, was %v", read.Entity(), read.Keys(), a.Keys())
		}
		if x, y := m.Weigh(a, b), m.Weigh(b, a); x != y {
			t.Fatalf("weights %v and %v", x, y)
		}
		sum := int32(0)
		for _, p := range m.Explain(read, b) {
			sum += p.Weight
		}
		if sum != m.Weigh(a, b).Total {
			t.Fatalf("the parts sum to %d, the weight is %d", sum, m.Weigh(a, b).Total)
		}
	})
}
