package config

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"touchstone/connectors/presets"
)

// TestPresetReference holds docs/presets.md to the presets themselves.
func TestPresetReference(t *testing.T) {
	const path = "../docs/presets.md"
	got := PresetReference()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil { //nolint:gosec // a page of the documentation
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(b), string(got)); diff != "" {
		t.Errorf("%s is stale; go test ./config -update rewrites it (-want +got):\n%s", path, diff)
	}
	for _, name := range presets.Names() {
		_, page, found := strings.Cut(string(got), "\n## "+name+"\n")
		page, _, _ = strings.Cut(page, "\n## ")
		for _, want := range []string{"### What to set up\n\n```yaml\n# ", "| limit | ", "### Fields of ", "| name | `"} {
			if !found || !strings.Contains(page, want) && !strings.Contains(page, strings.Replace(want, "| name", "| full_name", 1)) {
				t.Errorf("the page of preset %s has no %q", name, want)
			}
		}
	}
}
