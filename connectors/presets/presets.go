// Package presets holds what is known of vendors' interfaces: for each one a
// YAML file in the language of the rest connector, as a user could have written
// it. A source that says `preset: NAME` has the file's keys laid under its own.
package presets

import (
	"embed"
	"strings"
)

//go:embed *.yaml
var files embed.FS

// Names lists the presets in alphabetical order.
func Names() []string {
	entries, err := files.ReadDir(".")
	if err != nil {
		return nil // the files are part of the program
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = strings.TrimSuffix(e.Name(), ".yaml")
	}
	return names
}

// Source gives a preset's text: the keys of one source.
func Source(name string) ([]byte, bool) {
	for _, n := range Names() {
		if n == name {
			b, err := files.ReadFile(n + ".yaml")
			return b, err == nil
		}
	}
	return nil, false
}
