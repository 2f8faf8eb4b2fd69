package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"touchstone/matching/label"
)

// asked runs label with answers typed in.
func asked(t *testing.T, answers string, line ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	root := (&cli{out: &out, err: &errs}).root()
	root.SetArgs(append([]string{"label"}, line...))
	root.SetIn(strings.NewReader(answers))
	if err := root.ExecuteContext(t.Context()); err != nil {
		t.Fatalf("label %v: %v", line, err)
	}
	return out.String()
}

func kept(t *testing.T, path string) (out []string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	pairs, err := label.ReadPairs(f, path)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pairs {
		if p.Who != "ann" || p.When == "" || p.Source != "asked" {
			t.Errorf("label %+v does not say who, when and how", p)
		}
		out = append(out, p.A+" "+p.B+" "+string(p.Answer))
	}
	return out
}

// TestLabelAsksAndGoesOn: each answer is kept at once, b takes the last one back,
// the next session asks what is left, and the order is the same each time.
func TestLabelAsksAndGoesOn(t *testing.T) {
	set, err := os.ReadFile("../../matching/testdata/fake_1000.csv")
	if err != nil {
		t.Fatal(err)
	}
	path, labels := filepath.Join(t.TempDir(), "people.csv"), filepath.Join(t.TempDir(), "labels.csv")
	if err := os.WriteFile(path, []byte(strings.Join(strings.SplitAfter(string(set), "\n")[:301], "")), 0o600); err != nil {
		t.Fatal(err)
	}
	line := []string{"--labels", labels, "--who", "ann", "--lang", "en", path}
	first := asked(t, "y\nhuh\nn\nb\nu\nq\n", line...)
	heads := regexp.MustCompile(`Pair \d+ of \d+: (\S+) and (\S+), probability 0\.\d+`).FindAllStringSubmatch(first, -1)
	if len(heads) != 5 || heads[1][2] != heads[3][2] || heads[2][2] != heads[4][2] || heads[0][2] == heads[1][2] || heads[1][2] == heads[2][2] {
		t.Fatalf("asked %v in\n%s", heads, first)
	}
	for _, want := range []string{"y, n, u, b or q, please", "= ", "≠ ", "2 answers: 1 same, 0 different, 1 unsure; kept in " + labels} {
		if !strings.Contains(first, want) {
			t.Errorf("want %q in\n%s", want, first)
		}
	}
	want := []string{heads[0][1] + " " + heads[0][2] + " same", heads[1][1] + " " + heads[1][2] + " unsure"}
	if d := cmp.Diff(want, kept(t, labels)); d != "" {
		t.Errorf("kept (-want +got):\n%s", d)
	}
	again := filepath.Join(t.TempDir(), "again.csv")
	if text := asked(t, "y\nhuh\nn\nb\nu\nq\n", "--labels", again, "--who", "ann", "--lang", "en", path); strings.ReplaceAll(text, again, labels) != first {
		t.Errorf("asked once more from the beginning, it says\n%s\nnot\n%s", text, first)
	}
	second := asked(t, "b\nn\n", line...) // and the input ends
	if strings.Contains(second, heads[0][1]+" and "+heads[0][2]) || !strings.Contains(second, "this is the first pair of this session") {
		t.Errorf("the second session asks the same, or goes back too far:\n%s", second)
	}
	if got := kept(t, labels); len(got) != 3 || !strings.HasSuffix(got[2], " different") || cmp.Diff(want, got[:2]) != "" {
		t.Errorf("kept after the second session: %v", got)
	}
	chinese := asked(t, "不确定\n", "--labels", labels, "--who", "ann", "--lang", "zh", "--most", "1", path)
	if !strings.Contains(chinese, "是同一客户吗") || !strings.Contains(chinese, "共 1 个回答：相同 0，不同 0，不确定 1") {
		t.Errorf("in Chinese it says\n%s", chinese)
	}
	if out, _, err := called(t, "dedupe", path, "--id", "id", "--labels", labels); err != nil || !strings.Contains(out, "300 rows") {
		t.Errorf("dedupe with what was kept: %v\n%s", err, out)
	}
}

// TestLabelOfAStoreDecides: the answers are decisions, b undoes one, and train
// takes them as labels.
func TestLabelOfAStoreDecides(t *testing.T) {
	s := shell{t, t.TempDir()}
	for name, text := range map[string]string{
		"crm.csv":         "id,name,phone\n1,Orion Bakery,+44 20 7946 0001\n2,Zenith Bakery,+44 20 7946 0002\n",
		"shop.csv":        "id,name,phone\n7,Orion Patisserie,+44 20 7946 0001\n8,Zenith Patisserie,+44 20 7946 0002\n",
		"touchstone.yaml": decideConfig,
	} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.run(exitDone, "run", "--once")
	ask := func(answers string) string {
		var out, errs bytes.Buffer
		root := (&cli{out: &out, err: &errs}).root()
		root.SetArgs([]string{"-c", filepath.Join(s.dir, "touchstone.yaml"), "--dir", filepath.Join(s.dir, "data"), "label", "--lang", "en", "--who", "ann"})
		root.SetIn(strings.NewReader(answers))
		if err := root.ExecuteContext(t.Context()); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	text := ask("n\nb\ny\nn\n")
	if !strings.Contains(text, "2 answers: 1 same, 1 different, 0 unsure; kept in the store") {
		t.Fatalf("the session says\n%s", text)
	}
	list := s.run(exitDone, "decisions", "list")
	for kind, n := range map[string]int{" split ": 2, " merge ": 1, " undo ": 1} {
		if strings.Count(list, kind) != n {
			t.Errorf("%d decisions of kind%sare listed, want %d:\n%s", strings.Count(list, kind), kind, n, list)
		}
	}
	s.run(exitDone, "run", "--once")
	if n := s.members("crm/company/1") + s.members("crm/company/2"); n != 3 {
		t.Errorf("%d records behind the two golden records, want 3: one pair was merged", n)
	}
	if text := ask(""); !strings.Contains(text, "no pair is left to ask") {
		t.Errorf("everything is answered, and it says\n%s", text)
	}
	compared := s.run(exitDone, "model", "compare", "company/start-4", "company/start-4", "--labels", "rulings")
	if !strings.Contains(compared, "on 1 labels of one customer and 1 of two") {
		t.Errorf("the decisions are no labels:\n%s", compared)
	}
}
