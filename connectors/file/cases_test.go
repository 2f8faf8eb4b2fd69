package file

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
)

// update is how `go test -update` asks for new want files.
var update = flag.Bool("update", false, "write testdata/*/want.txt")

func TestCases(t *testing.T) {
	dirs, err := filepath.Glob("testdata/*/want.txt")
	if err != nil || len(dirs) < 5 {
		t.Fatalf("found %d cases, want at least 5: %v", len(dirs), err)
	}
	for _, want := range dirs {
		dir := filepath.Dir(want)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			var got strings.Builder
			records, _ := all(t, client(t, dir, Options{Path: "input.*"}), nil)
			for _, r := range records {
				fmt.Fprintf(&got, "%s\n", r.Place)
				if r.Problem != "" {
					fmt.Fprintf(&got, "! %s\n", r.Problem)
				}
				fmt.Fprintf(&got, "%s\n", r.Data)
			}
			if *update {
				if err := os.WriteFile(want, []byte(got.String()), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			text, err := os.ReadFile(want)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(text), got.String()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", dir, diff)
			}
		})
	}
}

func TestSampleIsInTheReadmeAndOpens(t *testing.T) {
	sample, err := os.ReadFile("sample.yaml")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), "```yaml\n"+string(sample)+"```\n") {
		t.Errorf("README.md does not hold sample.yaml as it is")
	}
	all := strings.ReplaceAll(string(sample), "\n    # ", "\n    ") // the optional keys too
	for _, text := range []string{string(sample), all} {
		var config struct {
			Sources map[string]struct {
				Type     string         `yaml:"type"`
				Every    string         `yaml:"every"`
				Entities map[string]any `yaml:"entities"`
				Options  `yaml:",inline"`
			} `yaml:"sources"`
		}
		d := yaml.NewDecoder(strings.NewReader(text))
		d.KnownFields(true)
		if err := d.Decode(&config); err != nil {
			t.Errorf("decode\n%s: %v", text, err)
			continue
		}
		if _, err := Open(".", config.Sources["erp"].Options); err != nil {
			t.Errorf("open\n%s: %v", text, err)
		}
	}
}
