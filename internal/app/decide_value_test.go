package app

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"

	"touchstone/internal/record"
)

// TestPinnedNumberIsOneOfJSON: a pin is kept as JSON; one that cannot be read
// again would stop the linking of its customer.
func TestPinnedNumberIsOneOfJSON(t *testing.T) {
	spec, _ := record.Spec(record.Company, "employees")
	for text, ok := range map[string]bool{
		"1200": true, "12.5": true, "-3": true, "0": true, "0.50": true, " 7 ": true,
		"007": false, ".5": false, "5.": false, "-": false, "--1": false, "1-2": false, "1.2.3": false, "+1": false, "1e3": false, "0b11": false, "0o7": false,
		"0x1f": false, "1/2": false, "1_000": false, "1,000": false, "１２": false, "1 2": false, "Inf": false, "true": false, "\xff": false, "": false,
	} {
		v, err := ParsePinned(spec, text)
		if (err == nil) != ok || ok && v.Kind != record.Number {
			t.Errorf("ParsePinned(%q) = %+v, %v; want taken %v", text, v, err, ok)
		}
	}
}

// parsedPin is a text read as a value of some field.
func parsedPin(t *rapid.T, typed *rapid.Generator[string]) (spec record.FieldSpec, v record.Value, err error) {
	entity := rapid.SampledFrom([]string{record.Company, record.Person}).Draw(t, "entity")
	spec = rapid.SampledFrom(record.Specs(entity)).Draw(t, "field")
	v, err = ParsePinned(spec, typed.Draw(t, "typed"))
	return spec, v, err
}

// TestPinnedValueIsReadAsItWasWritten for whatever a person types.
func TestPinnedValueIsReadAsItWasWritten(t *testing.T) {
	typed := rapid.OneOf(rapid.String(), rapid.StringMatching(`[-+0-9.eE]{1,6}`), rapid.SampledFrom([]string{
		"2026-01-31", "true", "\x00\xff", "中文", `[{"value":"a","kind":"work"}]`, `{"line":"上海路402号"}`, `[{}]`, `[[]]`, `["x"]`, `[{"value":"\ud800"}]`, `{"value":"a","value":"b"}`,
	}))
	rapid.Check(t, func(t *rapid.T) {
		spec, v, err := parsedPin(t, typed)
		if err != nil {
			return
		}
		text := v.AppendJSON(nil)
		var again record.Value
		if err := json.Unmarshal(text, &again); err != nil || again.Kind != spec.Kind || string(again.AppendJSON(nil)) != string(text) {
			t.Fatalf("%s pinned as %s is read as %+v, %v", spec.Name, text, again, err)
		}
		if v.Kind == record.List && len(v.Points) == 0 || v.Blank() {
			t.Fatalf("%s is pinned to nothing: %s", spec.Name, text)
		}
	})
}
