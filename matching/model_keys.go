package matching

import (
	"touchstone/internal/record"
	"touchstone/matching/block"
)

// A model may have chosen the rules that make the keys of records; see
// Trainer.Fit. Whoever blocks by it asks the model for the keys.

// Keys lists the keys of a record by the model's rules, as Features.Keys does.
func (m *Model) Keys(f *Features) []Key { return f.namedKeys(MaxKeys, m.rules) }

// AppendKeys appends what Keys gives, in the same order, without the texts.
func (m *Model) AppendKeys(dst []KeyHash, f *Features) []KeyHash { return f.appendKeys(dst, m.rules) }

// SharedKeys lists the keys of a that b has too, for explanation.
func (m *Model) SharedKeys(a, b *Features) []Key { return block.Shared(m.Keys(a), m.Keys(b)) }

// KeyRules names the rules that the model has chosen; none where it takes those
// that its entity type starts with.
func (m *Model) KeyRules() []string { return m.rules.Names() }

// countedRules are those whose keys count the names that use a value: no model
// can do without them.
func countedRules(entity string) block.RuleSet {
	s := block.SetOf(block.Phone, block.Email, block.Address)
	if entity == record.Company {
		s |= block.SetOf(block.Domain)
	}
	return s
}

// startRules are those that an entity type starts with.
func startRules(entity string) block.RuleSet {
	if kindOf(entity) == kindOther {
		return block.AllRules
	}
	return block.AllRules &^ block.SetOf(block.Alike)
}
