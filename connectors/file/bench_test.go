package file

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// BenchmarkPull reads a file of 14 columns, Chinese and English, about
// 170 bytes a record.
func BenchmarkPull(b *testing.B) {
	const rows = 100_000
	csvRow := func(i int, q string) string {
		return fmt.Sprintf("r%07d,crm,%s天津慧春企业管理咨询有限公司%s,,info@example.com,+86 2235614496,https://example.com/,和平区光明南路八八五号,天津市,天津,300005,CN,企业管理咨询,%d\n", i, q, q, i%1000)
	}
	header := "id,source,name,registration_no,email,phone,website,street,city,region,postcode,country,industry,employees\n"
	var plain, quoted, jsonl strings.Builder
	plain.WriteString(header)
	quoted.WriteString(header)
	for i := range rows {
		plain.WriteString(csvRow(i, ""))
		quoted.WriteString(csvRow(i, `"`))
		fmt.Fprintf(&jsonl, `{"id":"r%07d","source":"crm","name":"天津慧春企业管理咨询有限公司","email":"info@example.com","phone":"+86 2235614496","website":"https://example.com/","street":"和平区光明南路八八五号","city":"天津市","region":"天津","postcode":"300005","country":"CN","industry":"企业管理咨询","employees":%d}`+"\n", i, i%1000)
	}
	for _, bb := range []struct{ name, file, text string }{
		{"csv", "a.csv", plain.String()},
		{"csv quoted", "a.csv", quoted.String()},
		{"jsonl", "a.jsonl", jsonl.String()},
	} {
		b.Run(bb.name, func(b *testing.B) {
			dir := b.TempDir()
			if err := os.WriteFile(filepath.Join(dir, bb.file), []byte(bb.text), 0o600); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(bb.text)))
			b.ReportAllocs()
			for b.Loop() {
				c := client(b, dir, Options{Path: bb.file})
				n := 0
				var cursor []byte
				for {
					page, err := c.Pull(b.Context(), "company", cursor)
					if err != nil {
						b.Fatal(err)
					}
					n += len(page.Records)
					if cursor = page.Cursor; !page.More {
						break
					}
				}
				if n != rows {
					b.Fatalf("read %d records, want %d", n, rows)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/record")
		})
	}
}
