package pipeline

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/matching/standardise"
)

// searchText is what a golden record is found by: its names, addresses of mail
// and web, telephone numbers, identifiers, cities.
func searchText(entity string, f record.Fields, sources []string) store.SearchText {
	var b strings.Builder
	add := func(s string) {
		if s != "" {
			b.WriteByte(' ')
			b.WriteString(s)
		}
	}
	for _, name := range [...]string{"legal_name", "full_name", "given_name", "family_name", "employer"} {
		add(standardise.Fold(f[name].Text))
	}
	for _, p := range f["aliases"].Points {
		add(standardise.Fold(p.Value))
	}
	for _, p := range f["emails"].Points {
		mail := searchAddress(p.Value)
		add(mail)
		if _, domain, ok := strings.Cut(mail, "@"); ok && !standardise.FreeMail(domain) {
			add(domain)
		}
	}
	add(searchAddress(f["website"].Text))
	for _, p := range f["phones"].Points {
		add(phoneWord(searchDigits(p.Value)))
	}
	for _, p := range f["ids"].Points {
		add(standardise.Fold(p.Value))
	}
	for _, p := range f["addresses"].Points {
		add(standardise.Fold(p.Parts["city"]))
	}
	slices.Sort(sources)
	name := searchName(f)
	if name == "" && record.Specs(entity) == nil { // of an entity type of one's own: whatever it has
		for _, field := range f.Names() {
			if v := f[field]; v.Kind == record.Text {
				add(standardise.Fold(v.Text))
				name = cmp.Or(name, v.Text)
			}
		}
	}
	return store.SearchText{Name: standardise.Fold(name), Words: b.String(), Sources: slices.Compact(sources)}
}

// searchName is the name that a golden record goes by.
func searchName(f record.Fields) string {
	for _, name := range [...]string{"name", "full_name", "legal_name"} {
		if s := f[name].Text; s != "" {
			return s
		}
	}
	given, family := f["given_name"].Text, f["family_name"].Text
	if standardise.HasHan(given + family) {
		return family + given
	}
	return strings.TrimSpace(given + " " + family)
}

// searchAddress is an address of mail or web in one word: lower case, without
// protocol, www and path.
func searchAddress(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	if _, rest, ok := strings.Cut(s, "://"); ok {
		s = rest
	}
	s = strings.TrimPrefix(s, "www.")
	if i := strings.IndexAny(s, "/?# \t"); i >= 0 {
		s = s[:i]
	}
	return strings.Trim(s, "@.")
}

// searchDigits gives the digits of a number, of any width, without zeros at its
// beginning and without an extension.
func searchDigits(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r >= '0' && r <= '9':
			b.WriteByte(byte(r))
		case r >= '０' && r <= '９':
			b.WriteByte(byte(r-'０') + '0')
		case unicode.IsLetter(r):
			return strings.TrimLeft(b.String(), "0")
		}
	}
	return strings.TrimLeft(b.String(), "0")
}

// phoneWord is a number from its end: whoever leaves out the country code or
// the area code still asks for the beginning of this word.
func phoneWord(digits string) string {
	if digits == "" {
		return ""
	}
	b := []byte("~" + digits)
	slices.Reverse(b[1:])
	return string(b)
}

// minPhone is the fewest digits that are looked for as the end of a number.
const minPhone = 5

// maxTerms bounds a question.
const maxTerms = 8

// Question turns what a person types into terms: all have to be found, of each
// one of its ways to be written.
func Question(text string) (terms [][]string, name string) {
	text = strings.TrimSpace(text)
	if d := searchDigits(text); len(d) >= minPhone && strings.IndexFunc(text, func(r rune) bool { return unicode.IsLetter(r) || r == '@' }) < 0 {
		return [][]string{{d, phoneWord(d)}}, ""
	}
	name = standardise.Fold(text)
	for part := range strings.FieldsSeq(text) {
		if len(terms) >= maxTerms {
			break
		}
		address := ""
		switch {
		case strings.ContainsRune(part, '@') || strings.Contains(part, "://"):
			if address = searchAddress(part); address != "" {
				terms = append(terms, []string{address})
			}
			continue
		case strings.ContainsRune(strings.Trim(part, "."), '.') && !standardise.HasHan(part):
			address = searchAddress(part) // or a name with dots: St.Gallen
		}
		for _, run := range store.SearchRuns(standardise.Fold(part)) {
			ways := []string{run}
			if d := searchDigits(run); len(d) >= minPhone && len(d) == len(strings.TrimLeft(run, "0")) {
				ways = append(ways, phoneWord(d))
			} else if address != "" && address != run {
				ways = append(ways, address)
			}
			if len(terms) < maxTerms {
				terms = append(terms, ways)
			}
		}
	}
	return terms, name
}

// fillBatch is how many golden records FillSearch does in one transaction.
const fillBatch = 500

// FillSearch makes the golden records of a store of an earlier release
// findable. It goes on where it was interrupted by beginning again: what is
// there already stays.
func FillSearch(ctx context.Context, db *store.DB) error {
	after := int64(0)
	for {
		list, needed, err := db.SearchToFill(ctx, after, fillBatch)
		if err != nil || !needed {
			return err
		}
		if len(list) == 0 {
			return db.SearchFilled(ctx)
		}
		founders := make([]int64, len(list))
		for i, g := range list {
			founders[i] = g.Founder
		}
		members, err := db.MembersOf(ctx, founders)
		if err != nil {
			return err
		}
		changes := make([]store.GoldenChange, len(list))
		for i, g := range list {
			var f record.Fields
			if err := json.Unmarshal(g.Fields, &f); err != nil {
				return fmt.Errorf("golden record %s: %w", g.ID, err)
			}
			var sources []string
			for _, m := range members[g.Founder] {
				sources = append(sources, m.Ref.Source)
			}
			g.Version = 0 // something may stand there already
			changes[i] = store.GoldenChange{Golden: g, Search: searchText(g.Entity, f, sources)}
		}
		if err := db.Link(ctx, func(tx *store.LinkTx) error { return tx.SaveSearch(ctx, changes) }); err != nil {
			return err
		}
		after = founders[len(founders)-1]
	}
}
