package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// SearchQuery asks for live golden records.
type SearchQuery struct {
	// Terms must all be found; of a term, one of its ways to be written. A way is
	// a run of Han characters, found anywhere, or the beginning of a word.
	Terms   [][]string
	Name    string // the whole question, folded: a golden record named so comes first
	Entity  string // "" for all
	Source  string // uid; "" for all
	Several bool   // only those with members in more than one source
	Reach   Reach
	ByName  bool   // only the name is looked at, not what else is known
	Since   string // changed at or after this time in TimeLayout; "" for whenever
	After   string // Next of the page before
	Limit   int
}

// SearchPage is one page of answers.
type SearchPage struct {
	List []Golden
	Next string // "" when there is no more
	// Total counts all answers; -1 when there are too many to count, and then
	// they come in the order of their founders, those named as asked first.
	Total int
	// Partial says that the page ended before it was full because enough was
	// read: Next goes on from there.
	Partial bool
}

const (
	// searchFew is up to how many candidates are all read and ranked.
	searchFew = 2000
	// searchWalk is how many golden records one page walks through where no
	// list is short.
	searchWalk = 30000
)

// searchDoc is a candidate.
type searchDoc struct {
	founder    int64
	score      int
	entity     string
	name, text string
	systems    int
	changed    string
}

// Search finds golden records. Where a posting list is short its members are
// ranked: named as asked, beginning so, containing it in the name, elsewhere;
// then by founder. Where every list is long the golden records are walked by
// founder. Either way a page reads a bounded number of rows.
func (db *DB) Search(ctx context.Context, q SearchQuery) (page SearchPage, err error) {
	q.Limit = max(q.Limit, 1)
	stage, after, err := cutCursor(q.After)
	if err != nil {
		return page, err
	}
	few, short, err := db.searchCandidates(ctx, q)
	if err != nil {
		return page, fmt.Errorf("search: %w", err)
	}
	var founders []int64
	if short {
		founders, err = db.searchRanked(ctx, q, few, q.After, &page)
	} else {
		founders, err = db.searchWalked(ctx, q, stage, after, &page)
	}
	if err != nil {
		return page, fmt.Errorf("search: %w", err)
	}
	page.List, err = db.goldensOf(ctx, founders)
	return page, err
}

// cutCursor reads "stage.founder".
func cutCursor(s string) (stage string, founder int64, err error) {
	if s == "" {
		return "", 0, nil
	}
	stage, number, _ := strings.Cut(s, ".")
	founder, err = strconv.ParseInt(number, 10, 64)
	if err != nil || len(stage) != 1 {
		return "", 0, notFound("place in the list", s)
	}
	return stage, founder, nil
}

func cursorOf(stage string, founder int64) string {
	return stage + "." + strconv.FormatInt(founder, 10)
}

// searchCandidates takes the shortest posting list; short is false when all
// are long.
func (db *DB) searchCandidates(ctx context.Context, q SearchQuery) (best []int64, short bool, err error) {
	look := func(text string, args ...any) error {
		var list []int64
		err := db.view(ctx, text+" LIMIT "+strconv.Itoa(searchFew+1), args, func(r *sql.Rows) error {
			var f int64
			err := r.Scan(&f)
			list = append(list, f)
			return err
		})
		if err == nil && len(list) <= searchFew && (!short || len(list) < len(best)) {
			best, short = list, true
		}
		return err
	}
	for _, term := range q.Terms {
		var lists [][2]string
		for _, way := range term {
			l, ok := bestRange(way)
			if !ok {
				lists = nil
				break
			}
			lists = append(lists, l...)
		}
		// Of a Han run every pair is a list of its own: each alone holds all answers.
		if len(term) == 1 {
			for _, l := range lists {
				if err := look(`SELECT founder FROM search WHERE gram >= $1 AND gram <= $2`, l[0], l[1]); err != nil {
					return nil, false, err
				}
			}
			continue
		}
		if len(lists) == 2 {
			err := look(`SELECT founder FROM search WHERE gram >= $1 AND gram <= $2 OR gram >= $3 AND gram <= $4`, lists[0][0], lists[0][1], lists[1][0], lists[1][1])
			if err != nil {
				return nil, false, err
			}
		}
	}
	if q.Source != "" {
		if err := look(`SELECT founder FROM search WHERE gram = $1`, cutBytes(sourceWord(q.Source), maxGram)); err != nil {
			return nil, false, err
		}
	}
	if q.Reach != nil {
		if err := look(`SELECT founder FROM reach WHERE scope IN (` + q.Reach.list() + `)`); err != nil {
			return nil, false, err
		}
	}
	if q.Since != "" {
		if err := look(`SELECT founder FROM golden WHERE changed_at >= $1`, q.Since); err != nil {
			return nil, false, err
		}
	}
	slices.Sort(best)
	return slices.Compact(best), short, nil
}

// bestRange gives the lists that hold every text with this way: of a Han run
// those of its pairs, else the words that begin so. None when it is too common
// to have one.
func bestRange(way string) (lists [][2]string, ok bool) {
	const last = "\U0010FFFF"
	first, size := utf8.DecodeRuneInString(way)
	switch {
	case way == "":
		return nil, false
	case len(way) == size || !unicode.Is(unicode.Han, first):
		if cut := cutBytes(way, maxGram); cut != way {
			return [][2]string{{cut, cut}}, true
		}
		// A common word has no list of its own: the lists of those that begin so do
		// not hold all answers.
		for _, c := range commonGrams() {
			if strings.HasPrefix(c, way) {
				return nil, false
			}
		}
		return [][2]string{{way, way + last}}, true
	}
	for at := 0; at < len(way); {
		_, size := utf8.DecodeRuneInString(way[at:])
		_, next := utf8.DecodeRuneInString(way[at+size:])
		if next == 0 {
			break
		}
		if pair := way[at : at+size+next]; !common(pair) {
			lists = append(lists, [2]string{pair, pair})
		}
		at += size
	}
	return lists, len(lists) > 0
}

// searchRanked reads all candidates, and gives the page behind the cursor.
func (db *DB) searchRanked(ctx context.Context, q SearchQuery, few []int64, cursor string, page *SearchPage) ([]int64, error) {
	docs, err := db.searchDocs(ctx, q, few)
	if err != nil {
		return nil, err
	}
	var found []searchDoc
	for _, d := range docs {
		if d.answers(q) {
			d.score = d.rank(q)
			found = append(found, d)
		}
	}
	slices.SortFunc(found, func(a, b searchDoc) int {
		if a.score != b.score {
			return a.score - b.score
		}
		return int(a.founder - b.founder)
	})
	page.Total = len(found)
	var founders []int64
	for i, d := range found {
		if !d.behind(cursor) {
			continue
		}
		if len(founders) == q.Limit {
			page.Next = cursorOf(strconv.Itoa(found[i-1].score), found[i-1].founder)
			break
		}
		founders = append(founders, d.founder)
	}
	return founders, nil
}

// behind says whether a ranked answer comes after a cursor, also after one of
// a walk: then the lists have become short meanwhile.
func (d searchDoc) behind(cursor string) bool {
	stage, founder, err := cutCursor(cursor)
	if err != nil || stage == "" {
		return true
	}
	score, err := strconv.Atoi(stage)
	if err != nil {
		return d.founder > founder
	}
	return d.score > score || d.score == score && d.founder > founder
}

func (db *DB) searchDocs(ctx context.Context, q SearchQuery, founders []int64) (docs []searchDoc, err error) {
	text := `SELECT t.founder, t.entity, t.name, t.text, t.systems, '' FROM search_text t WHERE t.founder IN $LIST`
	if q.Since != "" {
		text = `SELECT t.founder, t.entity, t.name, t.text, t.systems, g.changed_at FROM search_text t JOIN golden g ON g.founder = t.founder WHERE t.founder IN $LIST`
	}
	err = viewIn(ctx, db, text+q.Reach.and("t.founder"), founders, func(r *sql.Rows) error {
		var d searchDoc
		err := r.Scan(&d.founder, &d.entity, &d.name, &d.text, &d.systems, &d.changed)
		docs = append(docs, d)
		return err
	})
	return docs, err
}

// answers says whether a candidate is what was asked for.
func (d searchDoc) answers(q SearchQuery) bool {
	if q.Entity != "" && d.entity != q.Entity || q.Several && d.systems < 2 || d.changed < q.Since {
		return false
	}
	if q.Source != "" && !strings.Contains(d.text, " "+sourceWord(q.Source)+" ") {
		return false
	}
	text := d.text
	if q.ByName {
		text = " " + strings.Join(SearchRuns(d.name), " ")
	}
	for _, term := range q.Terms {
		if !slices.ContainsFunc(term, func(way string) bool { return strings.Contains(text, wayText(way)) }) {
			return false
		}
	}
	return true
}

// wayText is what a text with this way contains: a Han run stands anywhere, a
// word begins behind a blank.
func wayText(way string) string {
	if first, _ := utf8.DecodeRuneInString(way); unicode.Is(unicode.Han, first) {
		return way
	}
	return " " + way
}

// rank is 0 for the best answer.
func (d searchDoc) rank(q SearchQuery) int {
	switch {
	case q.Name == "" || d.name == q.Name:
		return 0
	case strings.HasPrefix(d.name, q.Name):
		return 1
	}
	name := " " + strings.Join(SearchRuns(d.name), " ")
	for _, term := range q.Terms {
		if !slices.ContainsFunc(term, func(way string) bool { return strings.Contains(name, wayText(way)) }) {
			return 3
		}
	}
	return 2
}

// searchWalked gives those named as asked, then goes through the golden records
// by founder.
func (db *DB) searchWalked(ctx context.Context, q SearchQuery, stage string, after int64, page *SearchPage) (founders []int64, err error) {
	page.Total = -1
	if stage != "w" && q.Name != "" {
		if stage != "e" {
			after = 0
		}
		if founders, err = db.founders(ctx, q, "t.name = ", after, 0, q.Limit+1); err != nil {
			return nil, err
		}
		if len(founders) > q.Limit {
			founders = founders[:q.Limit]
			page.Next = cursorOf("e", founders[q.Limit-1])
			return founders, nil
		}
	}
	if stage != "w" {
		after = 0
	}
	var until int64
	err = db.view(ctx, `SELECT founder FROM search_text WHERE founder > $1 ORDER BY founder LIMIT 1 OFFSET `+strconv.Itoa(searchWalk), []any{after},
		func(r *sql.Rows) error { return r.Scan(&until) })
	if err != nil {
		return nil, err
	}
	want := q.Limit - len(founders)
	more, err := db.founders(ctx, q, "t.name <> ", after, until, want+1)
	if err != nil {
		return nil, err
	}
	switch {
	case len(more) > want:
		if more = more[:want]; want > 0 {
			after = more[want-1]
		}
		page.Next = cursorOf("w", after)
	case until > 0:
		page.Next, page.Partial = cursorOf("w", until), true
	}
	return append(founders, more...), nil
}

func (db *DB) founders(ctx context.Context, q SearchQuery, name string, after, until int64, n int) (list []int64, err error) {
	text, args := walkText(q, name, after, until, n)
	err = db.view(ctx, text, args, func(r *sql.Rows) error {
		var f int64
		err := r.Scan(&f)
		list = append(list, f)
		return err
	})
	return list, err
}

// walkText is the query of a walk from after to until (0: to the end) over the
// golden records whose name is, or is not, the question.
func walkText(q SearchQuery, name string, after, until int64, n int) (string, []any) {
	args := []any{after}
	arg := func(v any) string {
		args = append(args, v)
		return "$" + strconv.Itoa(len(args))
	}
	from, where := "search_text t", []string{"t.founder > $1"}
	if until > 0 {
		where = append(where, "t.founder <= "+arg(until))
	}
	if w := q.Reach.within("t.founder"); w != "" {
		where = append(where, w)
	}
	if q.Name != "" {
		where = append(where, name+arg(q.Name))
	}
	if q.Entity != "" {
		where = append(where, "t.entity = "+arg(q.Entity))
	}
	if q.Several {
		where = append(where, "t.systems > 1")
	}
	if q.Since != "" {
		from += " JOIN golden g ON g.founder = t.founder"
		where = append(where, "g.changed_at >= "+arg(q.Since))
	}
	like := func(s string) string { return `t.text LIKE ` + arg("%"+likeEscape.Replace(s)+"%") + ` ESCAPE '\'` }
	if q.Source != "" {
		where = append(where, like(" "+sourceWord(q.Source)+" "))
	}
	for _, term := range q.Terms {
		var ways []string
		for _, way := range term {
			if q.ByName {
				ways = append(ways, `' ' || t.name LIKE `+arg("%"+likeEscape.Replace(wayText(way))+"%")+` ESCAPE '\'`)
				continue
			}
			ways = append(ways, like(wayText(way)))
		}
		where = append(where, "("+strings.Join(ways, " OR ")+")")
	}
	return "SELECT t.founder FROM " + from + " WHERE " + strings.Join(where, " AND ") + " ORDER BY t.founder LIMIT " + strconv.Itoa(n), args
}

var likeEscape = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// goldensOf loads golden records in the order of the founders.
func (db *DB) goldensOf(ctx context.Context, founders []int64) ([]Golden, error) {
	byFounder := make(map[int64]Golden, len(founders))
	err := viewIn(ctx, db, goldenColumns+` FROM golden WHERE founder IN $LIST`, founders, func(r *sql.Rows) error {
		g, err := scanGolden(r)
		byFounder[g.Founder] = g
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("golden records: %w", err)
	}
	list := make([]Golden, 0, len(founders))
	for _, f := range founders {
		if g, ok := byFounder[f]; ok {
			list = append(list, g)
		}
	}
	return list, nil
}
