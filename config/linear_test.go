package config

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// many writes a configuration of n sources and as many targets and scopes of them;
// with bad each source has a key that its connector does not know, and each target
// and scope a source that is not there.
func many(n int, bad bool) string {
	var b strings.Builder
	b.WriteString("sources:\n")
	for i := range n {
		key := "path"
		if bad {
			key = "password"
		}
		fmt.Fprintf(&b, "  s%d: {type: file, %s: a.csv, entities: {company: {id: r.id, map: {name: r.name}}}}\n", i, key)
	}
	source := func(i int) int {
		if bad {
			return n + 1000
		}
		return i
	}
	b.WriteString("access:\n  scopes:\n")
	for i := range n {
		fmt.Fprintf(&b, "    c%d: {sources: [s%d]}\n", i, source(i))
	}
	b.WriteString("targets:\n")
	for i := range n {
		fmt.Fprintf(&b, "  t%d: {system: s%d, entity: company, policy: update_only, owns: [name], map: {name: golden.name}}\n", i, source(i))
	}
	return b.String()
}

// work checks a configuration as the command does, with a connector that decodes
// its own part, and counts what that took: scalars looked at to show lines, and
// allocations.
func work(t *testing.T, text string) (looked int, mallocs uint64, problems int) {
	t.Helper()
	var d *document
	opts := Options{Connectors: map[string]func(Source) error{"file": func(s Source) error {
		d = s.At.doc
		var own struct {
			Path string `yaml:"path" required:"true"`
		}
		return s.Options.Decode(&own)
	}}}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := Parse("t.yaml", []byte(text), opts)
	runtime.ReadMemStats(&after)
	var list Problems
	if err != nil && !errors.As(err, &list) {
		t.Fatal(err)
	}
	return d.looked, after.Mallocs - before.Mallocs, len(list)
}

// TestCheckingGrowsWithTheFile: four times the sources and targets are about four
// times the work, right or wrong, and not sixteen times.
func TestCheckingGrowsWithTheFile(t *testing.T) {
	for _, bad := range []bool{false, true} {
		looked, mallocs, problems := work(t, many(250, bad))
		looked4, mallocs4, problems4 := work(t, many(1000, bad))
		if problems4 < 4*problems || (problems > 0) != bad {
			t.Errorf("bad %v: %d problems of 250, %d of 1000", bad, problems, problems4)
		}
		if looked4 > 5*looked+10 {
			t.Errorf("bad %v: %d scalars were looked at for 250 sources, %d for 1000", bad, looked, looked4)
		}
		if mallocs4 > 5*mallocs {
			t.Errorf("bad %v: %d allocations for 250 sources, %d for 1000", bad, mallocs, mallocs4)
		}
	}
}

// TestLinesAreShownWithoutTheirSecrets: the scalars that reach into a line are
// found however they stand: before it on many lines, after others on the same
// line, under an alias.
func TestLinesAreShownWithoutTheirSecrets(t *testing.T) {
	const text = `sources:
  a: &a {type: file, one: 1, password: CANARY1, two: 2, api_key: "CANARY2", three: 3}
  b:
    type: file
    password: >-
      CANARY3
      CANARY4
    more: 5
  c: {type: file, secret: 'CANARY5
      CANARY6', rest: *a}
`
	d, problems := read("t.yaml", ".", []byte(text), Options{})
	if len(problems) > 0 || !d.inLines {
		t.Fatalf("%v, in the order of lines %v", problems, d.inLines)
	}
	for line := range d.lines {
		quick := d.shown(line+1, 1)
		d.inLines = false
		whole := d.shown(line+1, 1)
		d.inLines = true
		if quick != whole || strings.Contains(quick, "CANARY") {
			t.Errorf("line %d is shown as %q, looking at all as %q", line+1, quick, whole)
		}
	}
}
