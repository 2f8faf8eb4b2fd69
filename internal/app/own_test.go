package app

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"touchstone/config"
	"touchstone/internal/auth"
	"touchstone/internal/golden"
	"touchstone/internal/lookup"
	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/web"
	"touchstone/matching"
)

const fleet = `
sources:
  crm:
    type: file
    path: crm.csv
    entities:
      vehicle:
        id: record.id
        map: {vin: record.vin, plate: record.plate, model: record.model, mileage: record.mileage, colour: record.colour, keeper_phone: record.phone, built_on: record.built}
  yard:
    type: file
    path: yard.csv
    entities:
      vehicle:
        id: record.id
        map: {vin: record.vin, plate: record.plate, model: record.model, mileage: record.mileage, colour: record.colour, keeper_phone: record.phone, built_on: record.built}
entities:
  vehicle:
    schema: vehicle.json
    match: {fields: {model: name}}
`

// cars writes n vehicles as two systems know them: the n-th of one is the n-th of
// the other, with slips, other spellings and gaps.
func cars(t *testing.T, dir string, n int) {
	t.Helper()
	r := rand.New(rand.NewPCG(7, 11))
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	text := func(letters string, n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = letters[r.IntN(len(letters))]
		}
		return string(b)
	}
	var crm, yard strings.Builder
	head := "id,vin,plate,model,mileage,colour,phone,built\n"
	crm.WriteString(head)
	yard.WriteString(head)
	for i := range n {
		vin := "WVW" + text("ABCDEFGHJKLMNPRSTUVWXYZ0123456789", 14)
		plate := text("ABCDEFGHJKLMNPRSTUVWXYZ", 2) + text("0123456789", 2) + text("ABCDEFGHJKLMNPRSTUVWXYZ", 3)
		maker, body, size := pick("Transporter", "Crafter", "Golf", "Passat", "Caddy", "东风", "解放"), pick("Kombi", "Kasten", "Limousine", "厢式运输车"), pick("1", "2", "3", "4", "5")
		miles, colour, phone := 1000+r.IntN(200_000), pick("red", "white", "blue", "black"), fmt.Sprintf("+4420794%05d", r.IntN(100_000))
		built := fmt.Sprintf("%d-%02d-%02d", 1995+r.IntN(30), 1+r.IntN(12), 1+r.IntN(28))
		fmt.Fprintf(&crm, "c%d,%s,%s,%s %s %s,%d,%s,%s,%s\n", i, vin, plate, maker, body, size, miles, colour, phone, built)
		if r.IntN(4) == 0 {
			vin = ""
		} else if r.IntN(10) == 0 {
			vin = vin[:9] + vin[10:]
		}
		model := fmt.Sprintf("%s %s %s", strings.ToUpper(maker), size, body)
		if r.IntN(8) == 0 {
			plate = ""
		}
		if r.IntN(3) == 0 {
			phone = ""
		}
		fmt.Fprintf(&yard, "y%d,%s,%s,%s,%d,%s,%s,%s\n", i, strings.ToLower(vin), plate, model, miles+r.IntN(50), strings.ToUpper(colour), phone, built)
	}
	schema := `{"type": "object", "properties": {"mileage": {"type": ["string", "number"]}, "colour": {"enum": ["red", "white", "blue", "black", "RED", "WHITE", "BLUE", "BLACK"]}, "built_on": {"type": "string", "format": "date"}}}`
	for name, body := range map[string]string{"crm.csv": crm.String(), "yard.csv": yard.String(), "vehicle.json": schema} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// pairsOfCars counts golden records of two, those of one car, and those of more
// or of different cars.
func (w *world) pairsOfCars() (right, wrong int) {
	w.Helper()
	err := w.app.EachGolden(w.Context(), "vehicle", true, func(_ store.Golden, members []store.Member) error {
		switch {
		case len(members) == 1:
		case len(members) == 2 && members[0].Ref.ID[1:] == members[1].Ref.ID[1:]:
			right++
		default:
			wrong++
		}
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
	return right, wrong
}

// TestOwnEntityTypeIsMatched: an entity type of one's own is matched without a
// model of anybody's making, looked up, explained, reviewed, and trained.
func TestOwnEntityTypeIsMatched(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		const n = matching.LeastRecords / 2
		w := newWorld(t, dsn)
		cars(t, w.dir, n)
		w.yaml = fleet
		w.open()
		w.clean()
		right, wrong := w.pairsOfCars()
		if right < n*97/100 || wrong > n/200 {
			t.Errorf("with the start model %d of %d cars are found again, %d wrongly; want 97 %% and at most 0.5 %%", right, n, wrong)
		}

		fields, err := w.app.OwnFields().FromArgs("vehicle", []string{"model=kombi transporter 3", "vin=WVW00000000000000"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.app.OwnFields().FromArgs("vehicle", []string{"wheels=4"}); err == nil || !strings.Contains(err.Error(), "these are: keeper_phone, vin") {
			t.Errorf("a field that there is not: %v, want those that there are", err)
		}
		if answer, err := w.app.LookUp(t.Context(), lookup.Query{Entity: "vehicle", Fields: fields}); err != nil || len(answer.Candidates) > 0 && answer.Candidates[0].Verdict == lookup.Same {
			t.Errorf("looked up a car that is not there: %+v, %v", answer, err)
		}
		known := w.everybody()[0]
		authored := w.authoredOf(known)
		answer, err := w.app.LookUp(t.Context(), lookup.Query{Entity: "vehicle", Fields: authored, All: true})
		if err != nil || len(answer.Candidates) == 0 || answer.Candidates[0].Verdict != lookup.Same || answer.Candidates[0].Name != authored.Text("model") {
			t.Errorf("looked up a car that is there: %+v, %v; want it as %q", answer, err, authored.Text("model"))
		}
		why, err := w.app.Why(t.Context(), "crm/vehicle/c1", "yard/vehicle/y1")
		if err != nil || len(why.Pair.Parts) < 3 {
			t.Errorf("why two records of one car: %+v, %v", why, err)
		}

		trained, err := w.app.Train(t.Context(), "vehicle", "tester", Labels{})
		if err != nil || !trained.New || trained.Figures == nil || trained.Figures.Records != 2*n {
			t.Fatalf("trained %+v, %v", trained, err)
		}
		shown, err := w.app.Model(t.Context(), "vehicle/"+trained.Version)
		if err != nil || !strings.Contains(string(shown.Model), `"kind":"id"`) {
			t.Errorf("the model shown: %.200s, %v; want its kinds", shown.Model, err)
		}
		if _, err := w.app.ActivateModel(t.Context(), "vehicle/"+trained.Version, "tester", "fitted"); err != nil {
			t.Fatal(err)
		}
		w.clean()
		if r, x := w.pairsOfCars(); r < right-n/100 || x > n/200 {
			t.Errorf("with the fitted model %d cars are found again, %d wrongly; with that to start with %d, %d", r, x, right, wrong)
		}
		w.restart(strings.Replace(fleet, "{model: name}", "{model: name, mileage: ignore}", 1))
		w.clean()
		if m := w.app.entityNamed("vehicle").model.Load(); m.Version != trained.Version {
			t.Errorf("another field: model %s is in force, want the fitted %s to stay", m.Version, trained.Version)
		}
	})
}

// TestOwnFieldsChangeTheStartModel: as long as nothing was learnt, other fields
// mean another model to start with, and every record is weighed by it.
func TestOwnFieldsChangeTheStartModel(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		cars(t, w.dir, 40)
		w.yaml = strings.Replace(fleet, "{model: name}", "{model: ignore, vin: ignore, plate: ignore, keeper_phone: ignore, built_on: ignore}", 1)
		w.open()
		w.clean()
		if right, wrong := w.pairsOfCars(); right+wrong > 0 {
			t.Errorf("by mileage and colour alone %d and %d are one, want none", right, wrong)
		}
		before := w.app.entityNamed("vehicle").model.Load().Version
		w.restart(fleet)
		w.clean()
		if right, wrong := w.pairsOfCars(); right < 36 || wrong > 0 {
			t.Errorf("with all fields %d of 40 are found again, %d wrongly", right, wrong)
		}
		if now := w.app.entityNamed("vehicle").model.Load().Version; now == before || !strings.HasPrefix(now, "start-") {
			t.Errorf("the model is %s, was %s; want another to start with", now, before)
		}
	})
}

func (w *world) authoredOf(m store.Member) record.Fields {
	w.Helper()
	a, err := golden.ParseAuthored(m.Authored)
	if err != nil {
		w.Fatal(err)
	}
	return a.Fields()
}

func TestKindsOfOwnFields(t *testing.T) {
	if !slices.Equal(config.MatchKinds(), matching.Kinds()) {
		t.Errorf("the configuration takes %v, matching knows %v", config.MatchKinds(), matching.Kinds())
	}
	for _, tt := range []struct {
		name  string
		field schemaField
		want  string
	}{
		{"name", schemaField{}, "name"},
		{"product_title", schemaField{Type: "string"}, "name"},
		{"serialNumber", schemaField{}, "code"},
		{"vin", schemaField{}, "id"},
		{"gtin", schemaField{Type: "integer"}, "id"},
		{"sku", schemaField{}, "code"},
		{"weight", schemaField{Type: "number"}, "number"},
		{"contact_phone", schemaField{}, "phone"},
		{"x", schemaField{Format: "email"}, "email"},
		{"opened_on", schemaField{}, "date"},
		{"size", schemaField{Enum: []any{"S", "M"}}, "category"},
		{"id", schemaField{}, "ignore"},
		{"remarks", schemaField{}, "text"},
		{"产品名称", schemaField{}, "name"},
		{"规格型号", schemaField{}, "code"},
		{"联系电话", schemaField{}, "phone"},
		{"street_address", schemaField{}, "address"},
		{"active", schemaField{Type: "boolean"}, "category"},
		{"whatever", schemaField{}, "text"},
	} {
		if got := tt.field.kind(tt.name); got != tt.want {
			t.Errorf("field %q with %+v is a %s, want %s", tt.name, tt.field, got, tt.want)
		}
	}
}

// TestAMaskedFieldOfAnOwnTypeFindsNothing asks for things of one's own entity type
// by what a mask keeps back of them.
func TestAMaskedFieldOfAnOwnTypeFindsNothing(t *testing.T) {
	w := newWorld(t, "")
	cars(t, w.dir, 1)
	for name, body := range map[string]string{"crm.csv": "id,vin,plate,model\n1,WVW1,AB12CDE,Golf\n", "yard.csv": "id,vin,plate,model\n"} {
		if err := os.WriteFile(filepath.Join(w.dir, name), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w.yaml = fleet + "access: {masks: {m: {fields: {vehicle.plate: hide}}, other: {fields: {company.phones: hide}}}}\n"
	w.open()
	w.clean()
	for _, tt := range []struct {
		masks        []string
		text, entity string
		want         int
	}{
		{nil, "AB12CDE", "", 1},
		{[]string{"other"}, "golf", "", 1},
		{[]string{"m"}, "AB12CDE", "", 0},
		{[]string{"m"}, "AB12", "vehicle", 0},
		{[]string{"m"}, "golf", "company", 0},
		{[]string{"m"}, "", "", 1},
	} {
		ctx := auth.With(t.Context(), auth.Actor{ID: "lin", Role: auth.Viewer, Masks: tt.masks})
		p, err := w.app.Customers(ctx, web.CustomerQuery{Text: tt.text, Entity: tt.entity, Limit: 10})
		if err != nil || len(p.List) != tt.want {
			t.Errorf("masks %v: %q among %q finds %d, want %d (%v)", tt.masks, tt.text, tt.entity, len(p.List), tt.want, err)
		}
	}
}
