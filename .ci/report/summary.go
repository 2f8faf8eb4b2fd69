package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// event is one line of "go test -json"; see "go doc test2json".
type event struct {
	Action     string
	Package    string
	ImportPath string // of build-output
	Test       string
	Output     string
}

// tally is what a run came to.
type tally struct {
	passed  int      // tests at the top level, not their parts
	failed  int      // likewise, and packages that failed without a failing test
	skipped []string // tests and parts of tests that did not run
}

// verdict is the error of a run that is not wholly good.
func (t tally) verdict() error {
	if t.failed > 0 {
		return fmt.Errorf("%d failed", t.failed)
	}
	if len(t.skipped) > 0 {
		return fmt.Errorf("%d skipped, none may be: %s", len(t.skipped), strings.Join(t.skipped, ", "))
	}
	if t.passed == 0 {
		return errors.New("no test ran")
	}
	return nil
}

// reader follows a run.
type reader struct {
	out    io.Writer
	tally  tally
	held   map[string]*strings.Builder // package and test → what it wrote so far
	order  []string                    // keys of held, first written first
	failed map[string]int              // package → failing tests at the top level
}

// summarise reads a run to its end. It prints a line for each package, and of
// tests only what failing ones wrote. A skipped test counts as neither.
func summarise(in io.Reader, out io.Writer) (tally, error) {
	r := &reader{out: out, held: map[string]*strings.Builder{}, failed: map[string]int{}}
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			r.line(line)
		}
		if errors.Is(err, io.EOF) {
			return r.tally, nil
		}
		if err != nil {
			return r.tally, fmt.Errorf("read the tests' output: %w", err)
		}
	}
}

func (r *reader) line(line []byte) {
	var e event
	if err := json.Unmarshal(line, &e); err != nil {
		r.print(string(line)) // not from a test: a message of the go command
		return
	}
	switch e.Action {
	case "build-output":
		r.print(e.Output)
	case "output":
		r.hold(e)
	case "pass", "fail", "skip":
		r.end(e)
	}
}

func (r *reader) hold(e event) {
	if e.Test == "" && strings.HasPrefix(e.Output, "ok  \t") {
		r.print(e.Output)
		return
	}
	key := e.Package + "\x00" + e.Test
	b := r.held[key]
	if b == nil {
		b = &strings.Builder{}
		r.held[key] = b
		r.order = append(r.order, key)
	}
	b.WriteString(e.Output)
}

func (r *reader) end(e event) {
	top := e.Test != "" && !strings.Contains(e.Test, "/")
	switch {
	case e.Test == "" && e.Action == "fail":
		if r.failed[e.Package] == 0 {
			r.tally.failed++ // it did not build, or ended in the middle of a test
		}
		r.flush(e.Package+"\x00", true)
	case e.Action == "fail":
		r.flush(e.Package+"\x00"+e.Test, true)
		if top {
			r.tally.failed++
			r.failed[e.Package]++
		}
	case e.Action == "skip" && e.Test != "":
		r.tally.skipped = append(r.tally.skipped, e.Package+" "+e.Test)
		r.flush(e.Package+"\x00"+e.Test, true)
	default:
		if top && e.Action == "pass" {
			r.tally.passed++
		}
		r.flush(e.Package+"\x00"+e.Test, false)
	}
}

// flush lets go of what a test wrote, or of a whole package when the key ends
// behind the package, printed or not. Parts of a passing test go with it.
func (r *reader) flush(key string, show bool) {
	whole := strings.HasSuffix(key, "\x00")
	rest := r.order[:0]
	for _, k := range r.order {
		if k != key && (!whole || !strings.HasPrefix(k, key)) {
			rest = append(rest, k)
			continue
		}
		if show {
			r.print(r.held[k].String())
		}
		delete(r.held, k)
	}
	r.order = rest
}

// print writes on. A reader that went away does not stop the count.
func (r *reader) print(s string) { _, _ = io.WriteString(r.out, s) }
