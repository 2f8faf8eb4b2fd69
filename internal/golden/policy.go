package golden

import (
	"touchstone/internal/record"
)

// Strategy names one way to choose among values.
type Strategy string

// The strategies. They are applied in the order configured: each keeps the
// candidates it prefers, the next chooses among those. What still ties is
// settled by recency, then source rank, then the value's hash: never by the
// order in which records came.
const (
	SourceRank   Strategy = "source_rank"
	MostRecent   Strategy = "most_recent"
	MostFrequent Strategy = "most_frequent"
	Longest      Strategy = "longest"
	MostComplete Strategy = "most_complete"
	Min          Strategy = "min"
	Max          Strategy = "max"
	Union        Strategy = "union" // lists: every different entry, the preferred ones first
)

// Policy says how the golden record of one entity type is made. It is a value:
// equal policies and members give equal golden records.
type Policy struct {
	Entity     string
	Strategies map[string][]Strategy // field → strategies
	Rank       map[string]int        // source uid → place, 0 first; a source that is not in it comes last
	// Same gives the text under which two entries of a list are the same: a
	// phone in two spellings is one phone.
	Same func(field string, p record.Point) string
	// Values says which values count as another one, before any is chosen.
	Values Values
}

// strategies of a field, the defaults where none are configured: a list is
// united, anything else goes by source rank, then recency.
func (p Policy) strategies(field string, kind record.Kind) []Strategy {
	if s := p.Strategies[field]; len(s) > 0 {
		return s
	}
	if kind == record.List {
		return []Strategy{Union, SourceRank, MostRecent}
	}
	return []Strategy{SourceRank, MostRecent}
}

func (p Policy) rank(source string) int {
	if r, ok := p.Rank[source]; ok {
		return r
	}
	return len(p.Rank)
}
