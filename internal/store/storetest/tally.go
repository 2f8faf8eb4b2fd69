package storetest

// keptCounts holds the counts that the store keeps against what they count, as
// it stands after any test, before and after they are summed up.
func (b *Bench) keptCounts() {
	b.Helper()
	for _, when := range []string{"as written", "summed up"} {
		damage, err := b.DB.Integrity(b.Context())
		if err != nil || len(damage) > 0 {
			b.Errorf("%s: %q, %v; want no damage", when, damage, err)
		}
		b.Must(b.DB.FoldTally(b.Context()))
	}
}
