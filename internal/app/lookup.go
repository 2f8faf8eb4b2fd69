package app

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"touchstone/internal/golden"
	"touchstone/internal/lookup"
	"touchstone/internal/pipeline"
	"touchstone/internal/record"
	"touchstone/internal/store"
)

// mostLooking is how many look-ups read at once: pages need readers too.
const mostLooking = 3

// LookUp weighs one record against all there are, and stores nothing of it. It
// waits for no work of the resolver.
func (a *App) LookUp(ctx context.Context, q lookup.Query) (out lookup.Answer, err error) {
	e := a.entityNamed(q.Entity)
	if e == nil || e.model.Load() == nil {
		return out, &lookup.Problem{Field: "entity", En: "is not configured here", Zh: "未在此配置"}
	}
	select {
	case a.looking <- struct{}{}:
		defer func() { <-a.looking }()
	case <-ctx.Done():
		return out, fmt.Errorf("look up a %s: %w", q.Entity, ctx.Err())
	}
	if q.Limit <= 0 {
		q.Limit = lookup.DefaultLimit
	}
	model := e.model.Load()
	scale := pipeline.Scale{Model: model, Cap: model.KeyCap}
	if a.opts.Cap > 0 {
		scale.Cap = a.opts.Cap
	}
	limits := a.thresholds(q.Entity)
	out = lookup.Answer{Entity: q.Entity, Model: model.Version, Link: float64(limits.Link), Review: float64(limits.Review), Candidates: []lookup.Candidate{}}
	scale.Link, scale.Review = model.Threshold(out.Link), model.Threshold(out.Review)
	see, err := a.sight(ctx)
	if err != nil {
		return out, err
	}
	q.Fields = see.asked(q.Entity, q.Fields)
	found, err := e.look.Find(ctx, scale, q.Fields, nil, q.Limit)
	if err != nil {
		return out, err
	}
	if q.Name != "" && (len(found.Common) > 0 || len(found.Candidates) < q.Limit) {
		named, err := a.namedSo(ctx, see, q)
		if err != nil {
			return out, err
		}
		if len(named) > 0 {
			if found, err = e.look.Find(ctx, scale, q.Fields, named, q.Limit); err != nil {
				return out, err
			}
		}
	}
	out.Compared, out.Cut, out.Common, out.Incomplete = found.Compared, found.Cut, found.Common, found.Publishing
	for _, c := range found.Candidates {
		one, err := a.candidate(see, model.Probability(c.Weight), c, q.All)
		if err != nil {
			return out, err
		}
		out.Candidates = append(out.Candidates, one)
	}
	return out, a.veilCandidates(ctx, see, q.Entity, out.Candidates)
}

// namedSo gives the founders of the golden records that a name's words find, by
// nothing that who asks may not see.
func (a *App) namedSo(ctx context.Context, see sight, q lookup.Query) ([]int64, error) {
	all, named := a.findable(see, q.Entity)
	sq := store.SearchQuery{Entity: q.Entity, Limit: q.Limit, ByName: !all}
	if sq.Terms, sq.Name = pipeline.Question(q.Name); len(sq.Terms) == 0 || !named {
		return nil, nil
	}
	page, err := a.Store.Search(ctx, sq)
	if err != nil {
		return nil, err
	}
	founders := make([]int64, len(page.List))
	for i, g := range page.List {
		founders[i] = g.Founder
	}
	return founders, nil
}

// candidate shows one, with no more of its values than may be shown.
func (a *App) candidate(see sight, probability float64, c pipeline.Candidate, all bool) (out lookup.Candidate, err error) {
	out = lookup.Candidate{
		Golden: c.Golden.ID, Verdict: c.Verdict, Probability: probability, Weight: bits(c.Weight),
		Deleted: !slices.ContainsFunc(c.Members, func(m store.Near) bool { return m.Live }),
		Systems: a.systemsOf(c.Members), Parts: []lookup.Part{},
	}
	fields, err := candidateFields(c)
	if err != nil {
		return out, fmt.Errorf("golden record %s: %w", c.Golden.ID, err)
	}
	fields = see.fields(a.entityOf(c), fields)
	out.Name = DisplayName(a.entityOf(c), fields)
	if c.Veto != "" {
		out.Veto = &lookup.Words{En: vetoWord("en", c.Veto), Zh: strings.TrimPrefix(vetoWord("zh", c.Veto), "的 ")}
	}
	for _, p := range worded(c.Parts) {
		part := lookup.Part{
			Field: p.Field, Level: p.Level, Weight: bits(p.Weight), Given: p.A,
			Zh: lookup.PartZh{Field: MatchWord("zh", p.Field), Level: MatchWord("zh", p.Level)},
		}
		if all || a.mayShow(p.Field) {
			part.Found = p.B
		}
		out.Parts = append(out.Parts, part)
	}
	if all {
		for _, m := range c.Members {
			out.Records = append(out.Records, a.refName(m.Ref))
		}
	}
	for _, name := range a.Config.Server.MatchShows {
		spec, ok := record.Spec(a.entityOf(c), name)
		if v := fields[spec.Name]; ok && !v.Blank() {
			out.Shows = append(out.Shows, lookup.ShownOne{Field: spec.Name, Value: ShowValue(v)})
		}
	}
	out.Words = lookupWords(out)
	return out, nil
}

func (a *App) entityOf(c pipeline.Candidate) string {
	if c.Golden.Entity != "" {
		return c.Golden.Entity
	}
	return c.Members[0].Ref.Entity
}

func candidateFields(c pipeline.Candidate) (f record.Fields, err error) {
	switch {
	case c.Golden.ID != "":
		err = json.Unmarshal(c.Golden.Fields, &f)
	case c.Waiting != nil:
		var authored golden.Authored
		authored, err = golden.ParseAuthored(c.Waiting)
		f = authored.Fields()
	}
	return f, err
}

// systemsOf counts the records of each system, in the order of the file.
func (a *App) systemsOf(members []store.Near) []lookup.System {
	counts := map[string]int{}
	for _, m := range members {
		counts[a.SourceName(m.Ref.Source)]++
	}
	out := []lookup.System{}
	for _, s := range a.order {
		if n := counts[s.source.Name]; n > 0 {
			out = append(out, lookup.System{Source: s.source.Name, Records: n})
			delete(counts, s.source.Name)
		}
	}
	var rest []string // sources that left the configuration
	for name := range counts {
		rest = append(rest, name)
	}
	slices.Sort(rest)
	for _, name := range rest {
		out = append(out, lookup.System{Source: name, Records: counts[name]})
	}
	return out
}

// mayShow says whether the configuration lets the values of a compared field be
// shown: all the fields that they may come from must be listed.
func (a *App) mayShow(compared string) bool {
	from, known := comparedFrom[compared]
	for _, f := range from {
		if !slices.ContainsFunc(a.Config.Server.MatchShows, func(s string) bool { return slices.Contains(f, s) }) {
			return false
		}
	}
	return known
}

// comparedFrom names the fields behind each compared one: of each list one has to
// be allowed.
var comparedFrom = map[string][][]string{
	"name": {{"name"}}, "trade": {{"name"}}, "branch": {{"name"}}, "name place": {{"name"}}, "legal form": {{"name"}},
	"family name": {{"full_name", "family_name"}}, "given name": {{"full_name", "given_name"}}, "middle name": {{"full_name", "given_name"}},
	"name order": {{"full_name"}}, "employer": {{"employer"}}, "ids": {{"ids", "id"}}, "phones": {{"phones", "phone"}}, "emails": {{"emails", "email"}},
	"web": {{"website"}, {"emails", "email"}}, "addresses": {{"addresses", "address"}}, "country": {{"country"}}, "birth date": {{"birth_date"}},
}

// lookupWords says in a sentence what a candidate is.
func lookupWords(c lookup.Candidate) lookup.Words {
	head := map[lookup.Verdict]lookup.Words{
		lookup.Same:  {En: "Most likely the same customer", Zh: "很可能是同一客户"},
		lookup.Maybe: {En: "Perhaps the same customer: a person should look", Zh: "可能是同一客户，请人工确认"},
		lookup.No:    {En: "Probably another customer", Zh: "很可能是另一客户"},
	}[c.Verdict]
	var en, zh [2][]string // for, against
	for i, p := range c.Parts {
		if i == 0 || p.Weight == 0 { // the first is the prior
			continue
		}
		side := 0
		if p.Weight < 0 {
			side = 1
		}
		en[side] = append(en[side], p.Field+" "+p.Level)
		zh[side] = append(zh[side], p.Zh.Field+p.Zh.Level)
	}
	percent := fmt.Sprintf("%.1f", 100*c.Probability)
	out := lookup.Words{En: head.En + " (" + percent + " %).", Zh: head.Zh + "（" + percent + "%）。"}
	for side, title := range [2]lookup.Words{{En: "For it", Zh: "支持"}, {En: "Against it", Zh: "不支持"}} {
		if len(en[side]) > 0 {
			out.En += " " + title.En + ": " + strings.Join(en[side], ", ") + "."
			out.Zh += title.Zh + "：" + strings.Join(zh[side], "，") + "。"
		}
	}
	if c.Veto != nil {
		out.En += " Hard evidence against it: " + c.Veto.En + "."
		out.Zh += "确凿的反证：" + c.Veto.Zh + "。"
	}
	return out
}
