package app

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"touchstone/internal/record"
)

// TestMergeThatLeantOnAPhoneIsOpenedAgain: two records are one customer by their
// phone; when more names use it than may, they are two, and when these leave
// they are one again.
func TestMergeThatLeantOnAPhoneIsOpenedAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.yaml = strings.ReplaceAll(historiesYAML, "path: none.csv\n    entities:\n      company", "path: firms.jsonl\n    entities:\n      company")
		w.yaml, _, _ = strings.Cut(w.yaml, "  people:")
		w.opts.Names = 3
		phone := func(id, name, phone string) string {
			return fmt.Sprintf(`{"id":%q,"name":%q,"phone":%q}`, id, name, phone)
		}
		const line = "+44 1904 496 001"
		rows := []string{phone("a", "Northern Lights Bakery", line), phone("b", "Northern Lights Bakery", line), phone("c", "Quiet Rivers Media", line), phone("d", "Old Harbour Foods", line), ""}
		take := func(last string) {
			t.Helper()
			rows[4] = last
			w.write("firms.jsonl", strings.Join(rows, "\n"))
			w.clean()
		}
		w.write("firms.jsonl", "")
		w.open()
		for _, round := range []string{"first", "second"} {
			take(phone("e", "Acme Tools", "+44 113 496 0001"))
			if got, want := w.members("firms/company/a"), "firms/company/a firms/company/b"; got != want {
				t.Errorf("%s round: three names on the line, members %q, want %q", round, got, want)
			}
			take(phone("e", "Acme Tools", line))
			for _, ref := range []string{"firms/company/a", "firms/company/b"} {
				if got := w.members(ref); got != ref {
					t.Errorf("%s round: four names on the line, members %q, want %s alone", round, got, ref)
				}
			}
			list, err := w.app.SharedIdentifiers(t.Context(), record.Company, 10)
			if err == nil {
				err = w.app.SharedUsers(t.Context(), list, 4)
			}
			if err != nil || len(list) != 1 {
				t.Fatalf("%s round: shared values %+v, %v; want the line", round, list, err)
			}
			want := SharedIdentifier{
				Kind: "phone", Value: list[0].Value, Names: 4, Records: 5, Line: 3, hash: list[0].hash,
				Users: []string{"firms/company/a", "firms/company/b", "firms/company/c", "firms/company/d"},
			}
			if diff := cmp.Diff(want, list[0], cmp.AllowUnexported(SharedIdentifier{})); diff != "" {
				t.Errorf("%s round (-want +got):\n%s", round, diff)
			}
		}
		w.verify()
	})
}
