package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const explainConfig = `
sources:
  crm:
    type: file
    path: crm.csv
    entities:
      company:
        id: record.id
        map: {name: record.name, phone: record.phone, website: record.web, ids: [{scheme: '(record.number ?? "") == "" ? nil : "reg"', value: record.number}]}
`

// TestExplainRelationsAndReviewByCommandLine: two firms that their numbers keep
// apart, a record between them, a branch, and a switchboard that many use.
func TestExplainRelationsAndReviewByCommandLine(t *testing.T) {
	s := shell{t, t.TempDir()}
	for name, text := range map[string]string{
		"touchstone.yaml": explainConfig,
		"crm.csv": `id,name,phone,web,number
a,Acme Tools Ltd,+44 113 496 0001,acme.example,07946001
b,Acme Tools Ltd,,acme.example,51172233
c,Acme Tools Ltd,+44 113 496 0001,acme.example,
h,北京字节科技有限公司,,zj.example.cn,
s,北京字节科技有限公司上海分公司,,zj.example.cn,
1,Quiet Rivers Media,+44 20 7946 0001,,
2,Old Harbour Foods,+44 20 7946 0001,,
3,Northern Steel Works,+44 20 7946 0001,,
4,Zenith Bakery,+44 20 7946 0001,,
5,Umber Print,+44 20 7946 0001,,
6,Violet Cabs,+44 20 7946 0001,,
`,
	} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.run(exitDone, "run", "--once")
	for _, tt := range []struct {
		code int
		want []string
		args []string
	}{
		{exitDone, []string{"2 records", "crm/company/c joined", "different reg numbers", "Weakest link"}, []string{"explain", "crm:a", "--lang", "en"}},
		{exitDone, []string{"2 条记录", "所依赖的最弱联系", "号码不同"}, []string{"explain", "crm:a", "--lang", "zh"}},
		{exitDone, []string{`"why": "veto"`, `"steps": [`, `"bridges": [`}, []string{"explain", "crm:a", "--json"}},
		{exitDone, []string{"one record alone"}, []string{"explain", "crm:1", "--lang", "en"}},
		{exitUsage, []string{"not found"}, []string{"explain", "crm:99"}},
		{exitUsage, []string{"want one of"}, []string{"explain", "crm:a", "--lang", "fr"}},
		{exitDone, []string{"branch_of", "上海分公司", "same_group", "different reg numbers"}, []string{"relations", "possible"}},
		{exitDone, []string{`"kind": "branch_of"`, `"record_a": "crm/company/s"`, `"record_b": "crm/company/h"`}, []string{"relations", "possible", "--golden", "crm:h", "--json"}},
		{exitDone, []string{"the first 1"}, []string{"relations", "possible", "--limit", "1"}},
		{exitDone, []string{"no possible relations"}, []string{"relations", "possible", "--golden", "crm:1"}},
		{exitUsage, []string{"want one of"}, []string{"relations", "possible", "--kind", "friends"}},
		{exitUsage, []string{"want one of"}, []string{"relations", "possible", "--entity", "ship"}},
		{exitUsage, []string{"1 or more"}, []string{"relations", "possible", "--limit", "0"}},
		{exitUsage, []string{"not found"}, []string{"relations", "possible", "--golden", "crm:99"}},
		{exitDone, []string{"crm/company/c", "crm/company/a", "(stands here)", "crm/company/b"}, []string{"review", "between"}},
		{exitDone, []string{`"record": "crm/company/c"`}, []string{"review", "between", "--entity", "company", "--json"}},
		{exitUsage, []string{"want 1 to 1000"}, []string{"review", "between", "--limit", "0"}},
		{exitDone, []string{"phone", "more than 5 names", "crm/company/1", "crm/company/2"}, []string{"model", "shared", "company", "--users", "2"}},
	} {
		out := s.run(tt.code, tt.args...)
		for _, want := range tt.want {
			if !strings.Contains(out, want) {
				t.Errorf("touchstone %s says %q, want %q in it", strings.Join(tt.args, " "), out, want)
			}
		}
		if tt.args[0] == "model" && strings.Contains(out, "crm/company/3") {
			t.Errorf("two users were asked for: %s", out)
		}
	}
}
