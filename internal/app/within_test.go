package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"touchstone/internal/auth"
	"touchstone/internal/record"
	"touchstone/internal/web"
)

// narrowCtx asks as a steward with these scopes and masks.
func narrowCtx(ctx context.Context, scopes, masks []string) context.Context {
	return auth.With(ctx, auth.Actor{ID: "lin", Role: auth.Steward, Scopes: scopes, Masks: masks})
}

const withinAccess = `
access:
  scopes:
    crm: {sources: [crm]}
    people: {entities: [person]}
    china: {sources: [crm], where: 'country == "CN"'}
  masks:
    dark: {fields: {revenue: hide, phones: hide}}
sources:
  crm: &file
    type: file
    path: crm.csv
    entities:
      company: {id: record.id, map: {name: record.name, revenue: record.revenue, phone: 'record.phone', website: 'record.site', industry: 'record.note + record.phone', country: record.country}}
  desk: {<<: *file, path: desk.csv}
entities: {company: {}}
`

const withinHead = "id,name,revenue,phone,site,note,country,secret\n"

// TestQuarantineIsKeptToWholeSourcesAndCustomers holds which rows a scope reaches:
// those of its customers, and where it is a whole source those that are nobody's yet.
func TestQuarantineIsKeptToWholeSourcesAndCustomers(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.yaml = withinAccess
		w.lay("crm.csv", withinHead+"1,Alpha Widgets Ltd,5,+86 21 6111 1121,alpha.example,hello,CN,s1\n2,Beta Tools GmbH,6,,beta.example,,DE,s2\n3,Gamma Foods,much,+86 21 6111 1123,gamma.example,note3,CN,s3\n")
		w.lay("desk.csv", withinHead+"9,Delta Inc,lots,,delta.example,,US,s9\n")
		w.open()
		w.pass()
		w.lay("crm.csv", withinHead+"1,Alpha Widgets Ltd,plenty,+86 21 6111 1121,alpha.example,hello,CN,s1\n2,Beta Tools GmbH,heaps,,beta.example,,DE,s2\n3,Gamma Foods,much,+86 21 6111 1123,gamma.example,note3,CN,s3\n")
		w.later(2 * time.Hour)
		rows := map[string]string{}
		for _, c := range []struct {
			scopes []string
			want   string
		}{
			{nil, "crm/1 crm/2 crm/3 desk/9"},
			{[]string{"crm"}, "crm/1 crm/2 crm/3"}, // 3 is nobody's yet, and the source is whole
			{[]string{"china"}, "crm/1"},
			{[]string{"people"}, ""},
			{[]string{"people", "china"}, "crm/1"},
			{[]string{"crm", "gone"}, ""}, // a name that the configuration does not have
			{[]string{}, ""},
		} {
			ctx := narrowCtx(t.Context(), c.scopes, nil)
			p, err := w.app.QuarantinePage(ctx, web.QuarantineFilter{Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			n := 0
			for _, r := range p.Rows {
				got = append(got, r.Source+"/"+r.Record)
				if c.scopes == nil {
					rows[r.Source+"/"+r.Record] = r.ID
				}
			}
			for _, f := range p.Faults {
				n += f.N
			}
			slices.Sort(got)
			if strings.Join(got, " ") != c.want || n != len(got) || p.Uncounted != (c.scopes != nil) {
				t.Errorf("scopes %q see %q, with %d faults, uncounted %v; want %q", c.scopes, got, n, p.Uncounted, c.want)
			}
			for name, id := range rows {
				_, err := w.app.QuarantineRecord(ctx, id)
				if in := slices.Contains(got, name); in != (err == nil) || !in && !errors.Is(err, record.ErrNotFound) {
					t.Errorf("scopes %q open %s: %v, want it found: %v", c.scopes, name, err, in)
				}
			}
		}
		w.wantRawKept(rows["crm/3"])
	})
}

func (w *world) lay(name, text string) {
	w.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
		w.Fatal(err)
	}
}

// wantRawKept holds what a mask leaves of a record as it came: neither what a masked
// field is made of, nor what nobody maps.
func (w *world) wantRawKept(id string) {
	w.Helper()
	r, err := w.app.QuarantineRecord(narrowCtx(w.Context(), nil, []string{"dark"}), id)
	if err != nil {
		w.Fatal(err)
	}
	if want := `{"country":"CN","name":"Gamma Foods","note":"note3","site":"gamma.example"}`; r.Raw != want || !r.Kept {
		w.Errorf("a mask leaves %s, want %s", r.Raw, want)
	}
	text := fmt.Sprint(r)
	for _, bad := range []string{"much", "6111", "s3"} {
		if strings.Contains(text, bad) {
			w.Errorf("a mask leaves %q in %s", bad, text)
		}
	}
	if len(r.Problems) != 1 || r.Problems[0].Rule == "" || r.Problems[0].Text != "" || len(r.Problems[0].Offers) != 0 || r.Problems[0].Typed {
		w.Errorf("the problem is shown as %+v, want its rule and place alone, with nothing to mend", r.Problems)
	}
}
