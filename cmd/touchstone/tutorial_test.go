package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
)

// A tutorial is Markdown whose fenced blocks are done in order:
//
//	```sh            commands, one a line; they end with 0
//	```sh exit 1     the last of them ends with 1
//	```text          what the commands above printed; a line with … alone stands for any number of lines
//	```csv NAME      a file that the reader saves (also yaml)
//
// Ids, times and ports differ from one time to the next, so they are compared
// by their shape. `COMMAND &` goes on until `kill %N`, as in a shell. With
// -update the outputs without … are written anew.
type block struct {
	line       int // in the file, of its fence
	kind, rest string
	text       string
}

var fence = regexp.MustCompile("(?ms)^```(\\w+)([^\n]*)\n(.*?)^```$")

func blocks(doc string) (list []block) {
	for _, m := range fence.FindAllStringSubmatchIndex(doc, -1) {
		list = append(list, block{
			line: 1 + strings.Count(doc[:m[0]], "\n"), kind: doc[m[2]:m[3]], rest: strings.TrimSpace(doc[m[4]:m[5]]), text: doc[m[6]:m[7]],
		})
	}
	return list
}

// reader is the person who follows a tutorial.
type reader struct {
	ts    *testscript.TestScript
	ports map[string]string // the tutorial's port → a free one
	jobs  []*exec.Cmd
	last  map[string]string // what an id in the tutorial's commands stands for, by its shape
	out   string
}

func tutorial(ts *testscript.TestScript, _ bool, args []string) {
	raw, err := os.ReadFile(args[0])
	ts.Check(err)
	doc := string(raw)
	r := &reader{ts: ts, ports: map[string]string{}, last: map[string]string{}}
	ts.Defer(r.end)
	for _, port := range []string{"8480", "8490"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		ts.Check(err)
		r.ports[port] = fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
		ts.Check(l.Close())
	}
	commands := 0
	for _, b := range blocks(doc) {
		switch b.kind {
		case "sh":
			commands += r.commands(b)
		case "text":
			if *update && !strings.Contains(b.text, "…\n") && alike(b.text) != alike(r.shown()) {
				doc = strings.Replace(doc, "```text\n"+b.text+"```", "```text\n"+r.shown()+"```", 1)
			} else {
				r.compare(b)
			}
		case "csv", "yaml":
			ts.Check(os.WriteFile(ts.MkAbs(b.rest), []byte(r.here(b.text)), 0o600))
		}
	}
	if commands < 10 {
		ts.Fatalf("%s has %d commands: are its blocks still ```sh?", args[0], commands)
	}
	if *update && doc != string(raw) {
		ts.Check(os.WriteFile(args[0], []byte(doc), 0o644))
	}
}

// here puts this machine's free ports in the place of the tutorial's.
func (r *reader) here(text string) string {
	for port, free := range r.ports {
		text = strings.ReplaceAll(text, ":"+port, ":"+free)
	}
	return text
}

func (r *reader) commands(b block) (n int) {
	r.out = ""
	lines := strings.Split(strings.TrimSpace(b.text), "\n")
	for i, line := range lines {
		want := "0"
		if code, ok := strings.CutPrefix(b.rest, "exit "); ok && i == len(lines)-1 {
			want = code
		}
		line, _, _ = strings.Cut(line, "  #")
		line = r.ids(r.here(strings.TrimSpace(line)))
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		n++
		switch {
		case words[0] == "cd":
			r.ts.Check(r.ts.Chdir(words[1]))
		case words[0] == "export":
			name, value, _ := strings.Cut(words[1], "=")
			r.ts.Setenv(name, value)
		case words[0] == "kill":
			r.kill(b, words[1])
		case words[len(words)-1] == "&":
			r.start(b, words[:len(words)-1])
		default:
			got := exitCode(r.ts.Exec("sh", "-c", line+" 2>&1"))
			r.out += r.ts.ReadFile("stdout")
			if got != want {
				r.ts.Fatalf("line %d of the tutorial: %s\nended with %s, want %s:\n%s", b.line, line, got, want, r.out)
			}
		}
	}
	for _, shape := range shapes {
		if all := shape.pattern.FindAllString(r.out, -1); len(all) > 0 && shape.pick != "" {
			r.last[shape.pick] = all[0]
		}
	}
	return n
}

// shapes are what differs each time. An id of a decision or of a quarantined
// record in a command stands for the first that was printed last.
var shapes = []struct {
	pattern *regexp.Regexp
	as      string
	pick    string
}{
	{regexp.MustCompile(`\bd[0-9a-z]{16}\b`), "d0000000000000000", "d"},
	{regexp.MustCompile(`\bq[0-9a-z]{10}\b`), "q0000000000", "q"},
	{regexp.MustCompile(`\b[0-9a-z]{16}\b`), "golden0000000000", ""},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`), "<time>", ""},
	{regexp.MustCompile(`20[2-9]\d-\d\d-\d\d \d\d:\d\d(:\d\d)?`), "<time>", ""},
	{regexp.MustCompile(`pid \d+ on \S+`), "pid 1 on here", ""},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "127.0.0.1:0", ""},
	{regexp.MustCompile(`\d+ rows of \d+ tables, \d+ bytes`), "rows", ""},
	{regexp.MustCompile(`\d+ derived rows`), "derived rows", ""},
	{regexp.MustCompile(`--upto \d+`), "--upto 1", ""},
	{regexp.MustCompile(`(?m)^│ \d+ +│ d0`), "│ 1 │ d0", ""}, // the number of a decision
	{regexp.MustCompile(`in \d+\.\d s`), "in 0.0 s", ""},
	{regexp.MustCompile(` +`), " ", ""},
	{regexp.MustCompile(`─+`), "─", ""},
}

func (r *reader) ids(line string) string {
	for _, s := range shapes {
		if real := r.last[s.pick]; s.pick != "" && real != "" {
			line = s.pattern.ReplaceAllString(line, real)
		}
	}
	return line
}

// alike leaves of a text what is the same each time.
func alike(text string) string {
	for _, s := range shapes {
		text = s.pattern.ReplaceAllString(text, s.as)
	}
	return text
}

// shown is the output with this machine's ports, and who is at the keyboard,
// as the tutorial has them.
func (r *reader) shown() string {
	out := r.out
	for port, free := range r.ports {
		out = strings.ReplaceAll(out, ":"+free, ":"+port)
	}
	return strings.TrimRight(out, "\n") + "\n"
}

// compare holds that the lines of the tutorial are those printed; between
// lines that are left out by … in this order.
func (r *reader) compare(b block) {
	have := strings.Split(strings.TrimRight(alike(r.out), "\n"), "\n")
	at, skip := 0, false
	for _, want := range strings.Split(strings.TrimRight(alike(b.text), "\n"), "\n") {
		if strings.TrimSpace(want) == "…" {
			skip = true
			continue
		}
		for skip && at < len(have) && have[at] != want {
			at++
		}
		skip = false
		if at >= len(have) || have[at] != want {
			r.ts.Fatalf("line %d of the tutorial shows %q, which was not printed there (-tutorial +printed; go test ./cmd/touchstone -run Scripts -update writes outputs anew):\n%s", b.line, want, cmp.Diff(alike(b.text), alike(r.out)))
		}
		at++
	}
	if !skip && at < len(have) {
		r.ts.Fatalf("line %d of the tutorial ends before %q, which was printed too", b.line, have[at])
	}
}

// start runs a command until it is killed, and waits until it says that it is there.
func (r *reader) start(b block, words []string) {
	job := exec.Command(binary, words[1:]...) //nolint:gosec // of our own tutorial
	job.Dir = r.ts.MkAbs(".")
	job.Env = append(os.Environ(), "HUBSPOT_TOKEN="+r.ts.Getenv("HUBSPOT_TOKEN"))
	said, err := job.StderrPipe()
	r.ts.Check(err)
	r.ts.Check(job.Start())
	r.jobs = append(r.jobs, job)
	buf, n := make([]byte, 4096), 0
	for n < len(buf) && !strings.HasSuffix(string(buf[:n]), "\n") {
		m, err := said.Read(buf[n:])
		if n += m; err != nil {
			r.ts.Fatalf("line %d of the tutorial: %v ended: %s", b.line, words, buf[:n])
		}
	}
	r.out += string(buf[:n])
	go func() { // ends with the process
		for {
			if _, err := said.Read(make([]byte, 4096)); err != nil {
				return
			}
		}
	}()
}

func (r *reader) kill(b block, name string) {
	var n int
	if _, err := fmt.Sscanf(name, "%%%d", &n); err != nil || n < 1 || n > len(r.jobs) || r.jobs[n-1] == nil {
		r.ts.Fatalf("line %d of the tutorial: there is no job %s", b.line, name)
	}
	job := r.jobs[n-1]
	r.jobs[n-1] = nil
	r.ts.Check(job.Process.Signal(syscall.SIGTERM))
	hard := time.AfterFunc(20*time.Second, func() { _ = job.Process.Kill() })
	defer hard.Stop()
	if err := job.Wait(); err != nil {
		r.ts.Fatalf("line %d of the tutorial: %v ended with %v", b.line, job.Args, err)
	}
}

func (r *reader) end() {
	for _, job := range r.jobs {
		if job != nil {
			_ = job.Process.Kill()
			_ = job.Wait()
		}
	}
}

func exitCode(err error) string {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return "0"
	case errors.As(err, &exit):
		return fmt.Sprint(exit.ExitCode())
	}
	return err.Error()
}
