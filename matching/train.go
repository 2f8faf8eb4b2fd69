package matching

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"touchstone/internal/record"
	"touchstone/matching/block"
	"touchstone/matching/fit"
	"touchstone/matching/weight"
)

// LeastRecords is how many records a model is fitted from at the least: below,
// the start model serves.
const LeastRecords = 2000

// ErrTooFew says that there are too few records to fit a model from.
var ErrTooFew = errors.New("too few records to fit a model from")

// Trainer gathers what a model is fitted from: no labels, only the records. Not
// safe for concurrent use.
type Trainer struct {
	start   *Model
	records int
	blocked map[cell]int64 // of the pairs that a key found
	random  map[uint64]int64
	values  map[int]map[uint64]int64 // field → value → records
	labels  []Labelled
	// gathered holds the records that keys are chosen by, and sure the pairs of
	// them that the start is sure of.
	gathered *gathering
	sure     [][2]uint32
}

type cell struct{ pattern, forced uint64 }

// NewTrainer starts to gather for the successor of a model.
func NewTrainer(start *Model) *Trainer {
	t := &Trainer{start: start, blocked: map[cell]int64{}, random: map[uint64]int64{}, values: map[int]map[uint64]int64{}}
	for _, i := range start.frequencyFields() {
		t.values[i] = map[uint64]int64{}
	}
	return t
}

// Record counts the values of one record.
func (t *Trainer) Record(f *Features) {
	t.records++
	for i, counts := range t.values {
		if h := t.start.valueHash(f, i, 0); h != 0 {
			counts[h]++
		}
	}
}

// Blocked adds a pair that keys found; rules are those of the keys. It says
// whether the start is sure that the pair is one.
func (t *Trainer) Blocked(a, b *Features, rules block.RuleSet) (sure bool) {
	forced := ^uint64(0)
	w := t.start.Weigh(a, b)
	for i := range t.start.fields {
		if l := int(w.Pattern>>(4*i)) & 15; judged(t.start.Entity, i, l) {
			return false
		}
	}
	if _, veto := t.start.Veto(a, b); veto {
		return false
	}
	for r := range rules.All() {
		forced &= t.start.forcedFields(r)
	}
	t.blocked[cell{w.Pattern, forced}]++
	return w.Total >= t.start.Threshold(surely)
}

// Random adds a pair chosen without regard to what it holds. One that is more
// likely a match than not says nothing of pairs that are none, and is left out.
func (t *Trainer) Random(a, b *Features) {
	if w := t.start.Weigh(a, b); w.Total < 0 {
		t.random[w.Pattern]++
	}
}

// judged says whether a level speaks of another customer by what we mean by one
// and not by how often it is seen: a branch, another line of business and another
// number of a register are other customers, however alike the rest is. Such a
// level keeps its weight, and a pair that has one teaches nothing of matches.
func judged(entity string, field, level int) bool {
	if entity != record.Company {
		return false
	}
	switch field {
	case cBranch:
		return level >= branchOther
	case cTrade, cPlace:
		return level == different
	case cIDs:
		return level == idDifferent
	}
	return false
}

// forcedFields are those that a key of the rule makes agree, by bit.
func (m *Model) forcedFields(rule block.Rule) uint64 {
	if m.isOwn() {
		return m.ownForced(rule)
	}
	set := func(fields ...int) (mask uint64) {
		for _, f := range fields {
			mask |= 1 << f
		}
		return mask
	}
	company := m.Entity == record.Company
	switch rule {
	case block.ID, block.IDHead, block.IDTail:
		if company {
			return set(cIDs)
		}
		return set(pIDs)
	case block.Phone:
		if company {
			return set(cPhone)
		}
		return set(pPhone)
	case block.Email, block.Domain, block.Local, block.LocalHead, block.LocalTail, block.DomainName:
		if company {
			return set(cWeb)
		}
		return set(pEmail)
	case block.Name, block.Skeleton:
		if company {
			return set(cName)
		}
		return set(pFamily, pGiven)
	case block.NameFull, block.NameHead, block.NameTail:
		return set(cName, cTrade)
	case block.Birth, block.InitialsBirthYear, block.BirthMonthName, block.YearDayName:
		return set(pBirth)
	case block.FamilyPostcode:
		return set(pFamily, pAddress)
	case block.Street, block.PostcodeHouse, block.PostcodeName, block.Address:
		if company {
			return set(cAddress)
		}
		return set(pAddress)
	}
	return 0
}

const (
	// mostMoved is how far one fit moves a weight. Fields depend on one another,
	// which the model does not know: EM is surer than it should be.
	mostMoved = 1500
	// startWorth is how many matches the weights of the start are worth.
	startWorth = 50
	// fewSeen is below how many pairs a level keeps the weight it had.
	fewSeen = 5
	// leastHolders is how many records must hold a value for the tables to keep
	// it: what few hold could name somebody.
	leastHolders = 5
	mostValues   = 3000
	// The correction by frequency: Splink's tf_minimum_u_value, and a bound.
	leastShare    = 1e-5
	mostCorrected = 4000
	correctedBy   = 1000
)

// Fit fits a model. Share is which part of all pairs, of those that keys found
// and of those they did not, was gathered: 1 for all. Equal records give an equal
// model, byte for byte.
func (t *Trainer) Fit(share float64) (*Model, *Figures, error) {
	if t.records < LeastRecords {
		return nil, nil, fmt.Errorf("%w: there are %d, and %d are needed; the model in force serves", ErrTooFew, t.records, LeastRecords)
	}
	fields := fitFields(t.start.fields)
	u, counted := t.chance(fields)
	n := float64(t.records)
	options := fit.Options{Total: n * (n - 1) / 2 * share, Start: t.startM(u), Strength: startWorth}
	result, err := fit.Fit(fields, append(t.cells(), t.knownCells()...), u, options)
	if err != nil {
		return nil, nil, fmt.Errorf("fit a model: %w", err)
	}
	m := &Model{Entity: t.start.Entity, SharedNames: t.start.SharedNames, KeyCap: t.start.KeyCap, rules: t.start.rules, prior: result.PriorWeight, fields: t.start.fields}
	fig := &Figures{
		Records: t.records, Share: share, Matches: result.Matches / share, Prior: result.Prior, PriorWeight: weight.Milli(result.PriorWeight), OldPrior: weight.Milli(t.start.prior),
		Iterations: result.Iterations, Converged: result.Converged, From: t.start.Version,
	}
	for _, c := range t.blocked {
		fig.Pairs += c
	}
	for _, c := range t.random {
		fig.Random += c
	}
	kept := t.take(m, result, counted)
	for _, i := range m.frequencyFields() {
		m.frequencies[i] = t.table(i, result.U[i][same])
		fig.Frequencies = append(fig.Frequencies, FrequencyFigures{m.fields[i].name, len(m.frequencies[i].hashes)})
	}
	if fig.Labels, err = t.tune(m, fields); err != nil {
		return nil, nil, err
	}
	if fig.Keys, err = t.chooseKeys(m); err != nil {
		return nil, nil, fmt.Errorf("choose keys: %w", err)
	}
	for i, f := range m.fields {
		ff := FieldFigures{Field: f.name}
		for l := 1; l < len(f.levels); l++ {
			ff.Levels = append(ff.Levels, LevelFigures{Level: f.levels[l], M: result.M[i][l], U: result.U[i][l], Weight: weight.Milli(m.weights[i][l]), Old: weight.Milli(t.start.weights[i][l]), Kept: kept[i][l] && m.weights[i][l] == t.start.weights[i][l]})
		}
		fig.Fields = append(fig.Fields, ff)
	}
	return m, fig, m.sign()
}

// take sets the weights to what was fitted, each within bounds, and says which
// levels keep what they had.
func (t *Trainer) take(m *Model, result fit.Result, counted [][]float64) (kept [maxFields][16]bool) {
	for i, f := range m.fields {
		for l := 1; l < len(f.levels); l++ {
			old := t.start.weights[i][l]
			m.weights[i][l] = min(max(result.Weights[i][l], old-mostMoved), old+mostMoved)
			if old < 0 && l < len(f.levels)-1 { // by judgement against: chance agreement of any two knows nothing of namesakes
				m.weights[i][l] = min(m.weights[i][l], old)
			}
			if seen := result.M[i][l]*result.Seen[i] + counted[i][l]; seen < fewSeen || judged(m.Entity, i, l) {
				m.weights[i][l], kept[i][l] = old, true
			}
		}
	}
	return kept
}

// sign names a model after what it holds.
func (m *Model) sign() error {
	b, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("write the model: %w", err)
	}
	sum := sha256.Sum256(b)
	m.Version = "fit-" + hex.EncodeToString(sum[:5])
	return nil
}

// fitFields gives the catalogue in the words of fit. The levels of some fields
// have no order.
func fitFields(fields []field) []fit.Field {
	out := make([]fit.Field, len(fields))
	for i, f := range fields {
		free := f.name == "given name" || f.name == "addresses" || f.name == "emails" || f.kind == KindName || f.kind == KindText
		out[i] = fit.Field{Name: f.name, Levels: f.levels, Free: free}
	}
	return out
}

func (t *Trainer) cells() []fit.Cell {
	cells := make([]fit.Cell, 0, len(t.blocked))
	for c, n := range t.blocked {
		cells = append(cells, fit.Cell{Levels: fit.Pattern(c.pattern, len(t.start.fields)), Forced: c.forced, Count: n})
	}
	return cells
}

// chance gives u, how often pairs that are no matches have each level, and the
// counts it comes from. A level that no pair had is taken for half a pair.
func (t *Trainer) chance(fields []fit.Field) (u, counted [][]float64) {
	for i, f := range fields {
		row := make([]float64, len(f.Levels))
		for p, n := range t.random {
			row[p>>(4*i)&15] += float64(n)
		}
		row[0] = 0
		counted = append(counted, slices.Clone(row))
		sum := 0.0
		for l := 1; l < len(row); l++ {
			row[l] = max(row[l], 0.5)
			sum += row[l]
		}
		for l := 1; l < len(row); l++ {
			row[l] /= sum
		}
		u = append(u, row)
	}
	return u, counted
}

// startM is what m the weights of the start stand for, given u.
func (t *Trainer) startM(u [][]float64) [][]float64 {
	out := make([][]float64, len(u))
	for i := range u {
		row := make([]float64, len(u[i]))
		sum := 0.0
		for l := 1; l < len(row); l++ {
			row[l] = u[i][l] * math.Exp2(float64(t.start.weights[i][l])/1000)
			sum += row[l]
		}
		for l := 1; l < len(row); l++ {
			row[l] /= sum
		}
		out[i] = row
	}
	return out
}

// table makes the frequencies of one field.
func (t *Trainer) table(i int, u float64) *frequencies {
	counts := make([]fit.Entry, 0, len(t.values[i]))
	often := 0
	for h, n := range t.values[i] {
		counts = append(counts, fit.Entry{Hash: h, Count: n})
		if n >= leastHolders {
			often++
		}
	}
	f := fit.NewFrequencies(counts, min(often, mostValues))
	out := &frequencies{}
	for _, e := range f.Entries() {
		out.hashes = append(out.hashes, e.Hash)
		out.adjust = append(out.adjust, f.Adjust(e.Hash, u, leastShare, correctedBy, mostCorrected))
	}
	if len(out.hashes) > 0 {
		out.rare = f.Adjust(absent(out.hashes), u, leastShare, correctedBy, mostCorrected)
	}
	return out
}

// absent gives a hash that is not in the sorted list.
func absent(hashes []uint64) uint64 {
	h := block.Hash("absent")
	for {
		if _, ok := slices.BinarySearch(hashes, h); !ok {
			return h
		}
		h++
	}
}

// Figures are what was measured while a model was fitted.
type Figures struct {
	From        string             `json:"from"` // the model it started from
	Records     int                `json:"records"`
	Pairs       int64              `json:"pairs"`  // that keys found, of those gathered
	Random      int64              `json:"random"` // pairs for chance agreement
	Share       float64            `json:"share"`  // of the pairs that keys found, which part was gathered
	Matches     float64            `json:"matches"`
	Prior       float64            `json:"prior"`
	PriorWeight weight.Milli       `json:"prior_weight_bits"`
	OldPrior    weight.Milli       `json:"old_prior_weight_bits"`
	Iterations  int                `json:"iterations"`
	Converged   bool               `json:"converged"`
	Fields      []FieldFigures     `json:"fields"`
	Frequencies []FrequencyFigures `json:"frequencies,omitempty"`
	Labels      *LabelFigures      `json:"labels,omitempty"`
	Keys        *KeyFigures        `json:"keys,omitempty"`
}

// FieldFigures are those of one field.
type FieldFigures struct {
	Field  string         `json:"field"`
	Levels []LevelFigures `json:"levels"`
}

// LevelFigures are those of one level: how often matches (m) and other pairs (u)
// have it, and what it weighs now and did before.
type LevelFigures struct {
	Level  string       `json:"level"`
	M      float64      `json:"m"`
	U      float64      `json:"u"`
	Weight weight.Milli `json:"weight_bits"`
	Old    weight.Milli `json:"old_weight_bits"`
	Kept   bool         `json:"kept,omitempty"` // seen too rarely: the old weight stays
}

// FrequencyFigures say how many values of a field are counted.
type FrequencyFigures struct {
	Field  string `json:"field"`
	Values int    `json:"values"`
}
