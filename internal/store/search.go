package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// SearchText is what a golden record is found by: Name and Words are folded
// text, Sources the uids of its members' sources.
type SearchText struct {
	Name    string
	Words   string
	Sources []string
}

const (
	// maxSearchText bounds what is kept of one golden record, in bytes.
	maxSearchText = 1200
	// maxGram bounds one entry of the posting lists, in bytes.
	maxGram = 24
)

// SearchRuns cuts folded text into what is looked for: runs of Han characters,
// and words. "3m中国 ltd" gives 3m, 中国, ltd.
func SearchRuns(folded string) []string {
	var runs []string
	from, han := -1, false
	end := func(at int) {
		if from >= 0 {
			runs = append(runs, folded[from:at])
		}
		from = -1
	}
	for i, r := range folded {
		switch h := unicode.Is(unicode.Han, r); {
		case r == ' ' || r == '&' || r == '#' || r < ' ':
			end(i)
		case from < 0:
			from, han = i, h
		case h != han:
			end(i)
			from, han = i, h
		}
	}
	end(len(folded))
	return runs
}

// sourceWord is the word by which the golden records of a source are found. No
// folded text begins with its sign.
func sourceWord(uid string) string { return "@" + strings.Join(strings.Fields(uid), "_") }

// text is the words between blanks, each once.
func (s SearchText) text() string {
	var b strings.Builder
	b.WriteByte(' ')
	for _, uid := range s.Sources {
		b.WriteString(sourceWord(uid) + " ")
	}
	for _, part := range [...]string{s.Name, s.Words} {
		for _, run := range SearchRuns(part) {
			if b.Len()+len(run) > maxSearchText {
				return b.String()
			}
			if !strings.Contains(b.String(), " "+run+" ") {
				b.WriteString(run + " ")
			}
		}
	}
	return b.String()
}

// commonGrams stand in so many names that looking them up helps nobody: they
// are only compared, never looked up.
func commonGrams() [27]string {
	return [...]string{
		"有限", "限公", "公司", "司", "股份", "份有", "责任", "任有", "集团", "团", "分公",
		"inc", "llc", "ltd", "co", "corp", "plc", "gmbh", "sarl", "bv", "ag", "sa", "limited", "company", "the", "and", "of",
	}
}

func common(gram string) bool {
	list := commonGrams()
	return slices.Contains(list[:], gram)
}

// grams are the entries of a text in the posting lists, sorted, each once.
func grams(text string) []string {
	var list []string
	for word := range strings.FieldsSeq(text) {
		first, _ := utf8.DecodeRuneInString(word)
		if !unicode.Is(unicode.Han, first) {
			if !common(word) {
				list = append(list, cutBytes(word, maxGram))
			}
			continue
		}
		at := 0
		for at < len(word) {
			_, size := utf8.DecodeRuneInString(word[at:])
			_, next := utf8.DecodeRuneInString(word[at+size:])
			if gram := word[at : at+size+next]; !common(gram) {
				list = append(list, gram)
			}
			at += size
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// cutBytes cuts a text to at most n bytes, between characters.
func cutBytes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// SaveSearch keeps what golden records are found by; one without live members
// is found no more. Which scopes reach them is kept with it. SaveGolden does it
// for those that it writes.
func (tx *LinkTx) SaveSearch(ctx context.Context, changes []GoldenChange) error {
	if err := tx.saveReach(ctx, changes); err != nil {
		return err
	}
	old, err := tx.searchTexts(ctx, changes)
	if err != nil {
		return err
	}
	var texts, again, posts [][]any
	var gone []int64
	for _, c := range changes {
		before, had := old[c.Founder]
		if c.Live == 0 {
			if had {
				gone = append(gone, c.Founder)
				err = tx.dropGrams(ctx, c.Founder, grams(before.text))
			}
		} else {
			is := searchRow{c.Entity, cutBytes(c.Search.Name, maxSearchText), c.Search.text(), len(c.Search.Sources)}
			if is == before {
				continue
			}
			row := []any{c.Founder, is.entity, is.name, is.text, is.systems}
			if is.entity == before.entity && is.name == before.name {
				again = append(again, row)
			} else {
				texts = append(texts, row)
			}
			now := grams(is.text)
			if had {
				was := grams(before.text)
				now, was = without(now, was), without(was, now)
				err = tx.dropGrams(ctx, c.Founder, was)
			}
			for _, g := range now {
				posts = append(posts, []any{g, c.Founder})
			}
		}
		if err != nil {
			return fmt.Errorf("search: %w", err)
		}
	}
	if err := execIn(ctx, tx.Tx, `DELETE FROM search_text WHERE founder IN $LIST`, gone); err != nil {
		return fmt.Errorf("search: %w", err)
	}
	for _, x := range [...]struct {
		set  string
		rows [][]any
	}{
		{`entity = excluded.entity, name = excluded.name, text = excluded.text, systems = excluded.systems`, texts},
		{`text = excluded.text, systems = excluded.systems`, again}, // the index by name is left alone
	} {
		err := tx.insert(ctx, `INSERT INTO search_text (founder, entity, name, text, systems)`, `ON CONFLICT (founder) DO UPDATE SET `+x.set, x.rows)
		if err != nil {
			return fmt.Errorf("search: %w", err)
		}
	}
	// In the order of the lists: neighbours are written together.
	slices.SortFunc(posts, func(a, b []any) int {
		if c := strings.Compare(a[0].(string), b[0].(string)); c != 0 {
			return c
		}
		return int(a[1].(int64) - b[1].(int64))
	})
	if err := tx.insert(ctx, `INSERT INTO search (gram, founder)`, `ON CONFLICT (gram, founder) DO NOTHING`, posts); err != nil {
		return fmt.Errorf("search: %w", err)
	}
	return nil
}

// without gives what is in a and not in b; both are sorted.
func without(a, b []string) []string {
	var out []string
	for _, x := range a {
		if _, in := slices.BinarySearch(b, x); !in {
			out = append(out, x)
		}
	}
	return out
}

// searchRow is what is kept of one golden record.
type searchRow struct {
	entity, name, text string
	systems            int
}

// searchTexts reads what stands there of golden records that may have been
// there before.
func (tx *LinkTx) searchTexts(ctx context.Context, changes []GoldenChange) (map[int64]searchRow, error) {
	old := map[int64]searchRow{}
	if tx.Untouched {
		return old, nil
	}
	var founders []int64
	for _, c := range changes {
		if c.Version != 1 { // the first version has nothing before it
			founders = append(founders, c.Founder)
		}
	}
	err := eachIn(ctx, tx.Tx, `SELECT founder, entity, name, text, systems FROM search_text WHERE founder IN $LIST`, founders, func(r *sql.Rows) error {
		var founder int64
		var x searchRow
		err := r.Scan(&founder, &x.entity, &x.name, &x.text, &x.systems)
		old[founder] = x
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	return old, nil
}

func (tx *LinkTx) dropGrams(ctx context.Context, founder int64, list []string) error {
	return execIn(ctx, tx.Tx, `DELETE FROM search WHERE founder = $X1 AND gram IN $LIST`, list, founder)
}

// dropSearch forgets golden records that are gone.
func (tx *LinkTx) dropSearch(ctx context.Context, founders []int64) error {
	if len(founders) == 0 || tx.Untouched {
		return nil
	}
	gone := make([]GoldenChange, len(founders))
	for i, f := range founders {
		gone[i].Founder = f
	}
	return tx.SaveSearch(ctx, gone)
}

// searchFill is the setting that says that golden records were there before
// the posting lists were.
const searchFill = "search_fill"

// SearchToFill lists golden records behind a founder that a store of an
// earlier release holds without what they are found by; needed is false when
// the lists are whole.
func (db *DB) SearchToFill(ctx context.Context, after int64, n int) (list []Golden, needed bool, err error) {
	err = db.view(ctx, `SELECT value FROM setting WHERE name = $1`, []any{searchFill}, func(*sql.Rows) error { needed = true; return nil })
	if err == nil && needed {
		list, err = db.GoldenList(ctx, GoldenFilter{After: after, Limit: n})
	}
	return list, needed, err
}

// SearchFilled says that the lists are whole.
func (db *DB) SearchFilled(ctx context.Context) error {
	return db.inTx(ctx, func(tx *Tx) error {
		_, err := tx.exec(ctx, `DELETE FROM setting WHERE name = $1`, searchFill)
		return err
	})
}
