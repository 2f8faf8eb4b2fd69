package app

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"touchstone/internal/lookup"
	"touchstone/internal/record"
	"touchstone/matching"
)

// An entity type of one's own has no fields that we know. What they are is said
// by match.fields; else by its JSON Schema, as far as that says it, and by the
// name of the field.

// shapeOf gives what the fields of an entity type of one's own are; nil for those
// that are built in.
func (a *App) shapeOf(entity string) matching.Shape {
	if record.Specs(entity) != nil {
		return nil
	}
	fields := map[string]string{}
	for _, e := range a.Config.Entities {
		if e.Name != entity {
			continue
		}
		known := a.schemaFields(e.Schema)
		for _, name := range a.mappedFields(entity) {
			fields[name] = known[name].kind(name)
		}
		for name, kind := range e.Match.Fields {
			fields[name] = kind
		}
	}
	return matching.ShapeOf(fields)
}

// mappedFields are those that some source gives.
func (a *App) mappedFields(entity string) (names []string) {
	for _, s := range a.Config.Sources {
		for _, e := range s.Entities {
			if e.Entity != entity {
				continue
			}
			for _, m := range e.Map {
				names = append(names, m.Name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// schemaField is what a JSON Schema says of a field.
type schemaField struct {
	Type   any    `json:"type"`
	Format string `json:"format"`
	Enum   []any  `json:"enum"`
}

// schemaFields reads the fields of a schema file. One that cannot be read is
// reported where it is compiled.
func (a *App) schemaFields(name string) map[string]schemaField {
	src, err := os.ReadFile(filepath.Join(a.Config.Dir, name))
	if err != nil {
		return nil
	}
	var s struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	if json.Unmarshal(src, &s) != nil {
		return nil
	}
	out := map[string]schemaField{}
	for name, text := range s.Properties {
		var f schemaField
		if json.Unmarshal(text, &f) == nil {
			out[name] = f
		}
	}
	return out
}

// kind tells what a field is by its schema, and by its name where that says
// nothing.
func (f schemaField) kind(name string) string {
	is := func(t string) bool {
		list, many := f.Type.([]any)
		return f.Type == t || many && slices.Contains(list, any(t))
	}
	switch f.Format {
	case "email", "idn-email":
		return matching.KindEmail
	case "date", "date-time":
		return matching.KindDate
	case "uri", "hostname", "iri", "idn-hostname":
		return matching.KindWeb
	}
	byName := kindByName(name)
	switch {
	case len(f.Enum) > 0, is("boolean"):
		return matching.KindCategory
	case (is("number") || is("integer")) && byName != matching.KindID && byName != matching.KindCode:
		return matching.KindNumber
	}
	return byName
}

// kindByName goes by the last word of a field's name that is known.
func kindByName(name string) string {
	words := nameWords(name)
	if len(words) == 1 && words[0] == "id" { // a key of that system alone
		return matching.KindIgnore
	}
	for i := len(words) - 1; i >= 0; i-- {
		if k := wordKind(words[i]); k != "" {
			return k
		}
	}
	for _, end := range [...][2]string{
		{"名称", matching.KindName},
		{"名", matching.KindName},
		{"电话", matching.KindPhone},
		{"手机", matching.KindPhone},
		{"邮箱", matching.KindEmail},
		{"地址", matching.KindAddress},
		{"网址", matching.KindWeb},
		{"日期", matching.KindDate},
		{"时间", matching.KindDate},
		{"车架号", matching.KindID},
		{"序列号", matching.KindID},
		{"条码", matching.KindID},
		{"号", matching.KindCode},
		{"编码", matching.KindCode},
		{"编号", matching.KindCode},
		{"邮编", matching.KindCode},
		{"型号", matching.KindCode},
		{"类型", matching.KindCategory},
		{"类别", matching.KindCategory},
		{"品牌", matching.KindCategory},
		{"颜色", matching.KindCategory},
		{"价格", matching.KindNumber},
		{"重量", matching.KindNumber},
		{"数量", matching.KindNumber},
	} {
		if strings.HasSuffix(name, end[0]) {
			return end[1]
		}
	}
	return matching.KindText
}

// nameWords takes a field's name apart: serial_number, serialNumber.
func nameWords(name string) []string {
	var b strings.Builder
	lower := false
	for _, r := range name {
		if r >= 'A' && r <= 'Z' && lower {
			b.WriteByte(' ')
		}
		lower = r >= 'a' && r <= 'z'
		b.WriteRune(r)
	}
	return strings.FieldsFunc(strings.ToLower(b.String()), func(r rune) bool { return r == '_' || r == '-' || r == ' ' || r == '.' })
}

// wordKind is the kind that a word of a field's name speaks for; "" for none.
func wordKind(word string) string {
	for _, k := range [...][2]string{
		{matching.KindName, " name title label names titles "},
		{matching.KindText, " description text summary details note notes remark remarks comment comments "},
		{matching.KindID, " vin gtin ean upc isbn issn imei iban serial registration uuid guid lei vat duns barcode "},
		{matching.KindCode, " code sku mpn part plate postcode zip number no id ref reference article "},
		{matching.KindNumber, " price weight length width height depth size mileage amount quantity qty capacity power area volume latitude longitude lat lon cost rooms floors "},
		{matching.KindDate, " date built founded birth opened closed expiry expires created on at "},
		{matching.KindCategory, " brand make maker manufacturer vendor colour color category type class status kind country region state city unit currency language year fuel gender "},
		{matching.KindPhone, " phone telephone tel mobile fax phones "},
		{matching.KindEmail, " email mail emails "},
		{matching.KindWeb, " website web url homepage domain site "},
		{matching.KindAddress, " address addresses street location addr "},
	} {
		if strings.Contains(k[1], " "+word+" ") {
			return k[0]
		}
	}
	return ""
}

// OwnFields are the fields of the entity types of one's own that take part in
// matching, by entity type.
func (a *App) OwnFields() lookup.Own {
	out := lookup.Own{}
	for _, e := range a.entities {
		for _, f := range e.shape {
			out[e.name] = append(out[e.name], f.Name)
		}
	}
	return out
}

// startModel is the model that an entity type begins with.
func (a *App) startModel(entity string) (*matching.Model, error) {
	if m, ok := matching.StartModel(entity); ok {
		return m, nil
	}
	return matching.StartModelOf(entity, a.shapeOf(entity))
}

// started puts another model to start with in force where the one that is there
// was made for other fields: nothing has been learnt yet.
func (a *App) started(ctx context.Context, m *matching.Model, generation int64) (*matching.Model, int64, error) {
	if record.Specs(m.Entity) != nil || m.Fitted() || a.opts.Shared {
		return m, generation, nil
	}
	now, err := a.startModel(m.Entity)
	if err != nil || now.Version == m.Version {
		return m, generation, err
	}
	b, err := json.Marshal(now)
	if err != nil {
		return nil, 0, fmt.Errorf("write start model: %w", err)
	}
	if err := a.Store.SaveModel(ctx, m.Entity, now.Version, string(b), false); err != nil {
		return nil, 0, err
	}
	if _, err := a.Store.ActivateModel(ctx, m.Entity, now.Version, "touchstone", "the fields of the entity type changed"); err != nil {
		return nil, 0, err
	}
	_, generation, err = a.Store.ActiveModel(ctx, m.Entity)
	return now, generation, err
}

// ownName is what a thing of one's own entity type is called: the text whose
// field sounds most like a name, the first of them.
func ownName(f record.Fields) (name string) {
	best := len(naming())
	for _, field := range f.Names() {
		v := f[field]
		if v.Kind != record.Text || strings.TrimSpace(v.Text) == "" {
			continue
		}
		rank := slices.Index(naming(), kindByName(field))
		if rank < 0 {
			rank = len(naming()) - 1
		}
		if rank < best {
			best, name = rank, v.Text
		}
	}
	return name
}

// naming are the kinds of fields by how well they name a thing; the last stands
// for all others.
func naming() []string {
	return []string{matching.KindName, matching.KindText, matching.KindCode, matching.KindID, ""}
}
