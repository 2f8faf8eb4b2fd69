package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestAddressesMoveToDomainsNobodyOwns(t *testing.T) {
	tests := []struct{ in, want string }{
		{"whao@sina.com", "whao@sina.example.cn"},
		{"a@gmail.com", "a@gmail.example.com"},
		{"a@gmial.com", "a@gmial.example.com"},
		{"a@GMAIL.COM", "a@GMAIL.example.com"},
		{"a@gmail.con", "a@gmail-con.example.org"},
		{"a@hotmail.co.uk", "a@hotmail-co-uk.example.org"},
		{"li@laishi.cn", "li@laishi-cn.example"},
		{"", ""},
		{"no address", "no address"},
	}
	for _, tt := range tests {
		if got := safeEmail(tt.in); got != tt.want {
			t.Errorf("safeEmail(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
	sites := []struct{ in, want string }{
		{"HTTP://BRIGHTIX77.CO.UK", "HTTP://BRIGHTIX77-CO-UK.EXAMPLE"},
		{"www.laishi.cn", "www.laishi-cn.example"},
		{"https://genixgroup.com/", "https://genixgroup-com.example/"},
		{"laishi.cn", "laishi-cn.example"},
		{"", ""},
	}
	for _, tt := range sites {
		if got := safeWebsite(tt.in); got != tt.want {
			t.Errorf("safeWebsite(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestRunSplitsBySourceTwiceTheSame(t *testing.T) {
	in := func(header, line string) string {
		dir := t.TempDir()
		write(t, dir, "records.csv", header+"\n"+line+"\n")
		write(t, dir, "truth.csv", "id,cluster\nr1,7\n")
		return dir
	}
	companies := in("id,source,name,registration_no,email,phone,website,street,city,region,postcode,country,industry,employees",
		`r1,desk,来石有限公司,,a@qq.com,,laishi.cn,"1, High <St>",,,,CN,,12`)
	persons := in("id,source,first_name,last_name,email,phone,company,dob,street,city,region,postcode,country", "r1,desk,文,郝,,,,,,,,,")
	outs := [2]string{t.TempDir(), t.TempDir()}
	for _, out := range outs {
		if err := run(companies, persons, out); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]string{
		deskCompanies: `{"id":"o1001","updated_at":"2025-03-01T08:00:00.000000Z","title":"来石有限公司","mail":"a@qq.example.cn","url":"laishi-cn.example","headcount":12,"address":{"line":"1, High <St>","country":"CN"}}` + "\n",
		deskContacts:  `{"id":"u1001","updated_at":"2025-03-01T08:00:00.000000Z","full_name":"郝文"}` + "\n",
		truthFile:     "source,entity,id,customer\ndesk,company,o1001,company-7\ndesk,person,u1001,person-7\n",
	}
	for name, start := range want {
		a, b := read(t, outs[0], name), read(t, outs[1], name)
		if a != b {
			t.Errorf("%s differs between two runs", name)
		}
		if len(a) < len(start) || a[:len(start)] != start {
			t.Errorf("%s starts\n%.300s\nwant\n%s", name, a, start)
		}
	}
	if err := run(in("id,source", "r1,elsewhere"), persons, outs[0]); err == nil {
		t.Error("a source without a place was taken")
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name)) //nolint:gosec // the test's own folder
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestACustomerHasOneOwner(t *testing.T) {
	b := builder{owners: map[string]string{}}
	tests := []struct {
		cluster string
		r       row
		want    string
	}{
		{"10", row{"name": "来石有限公司"}, "陈思远"},
		{"10", row{"name": "Laishi Co., Ltd."}, "陈思远"}, // its first record decided
		{"11", row{"name": "Laishi Co., Ltd."}, "Daniel Reyes"},
		{"19", row{"first_name": "文", "last_name": "郝"}, "赵明轩"},
		{"12", row{"name": "A"}, "Grace Okafor"},
		{"9", row{"name": "B"}, ""},
		{"odd", row{"name": "C"}, ""},
	}
	for _, tt := range tests {
		if got := b.ownerOf("company", tt.cluster, tt.r); got != tt.want {
			t.Errorf("the owner of %v in cluster %s is %q, want %q", tt.r, tt.cluster, got, tt.want)
		}
	}
}
