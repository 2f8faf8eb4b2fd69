package dedupe_test

import (
	"fmt"
	"math/rand"
	"testing"

	"touchstone/internal/dedupe"
)

// TestEqualTextsAreOneWithoutLearning: a table of texts whose only duplicates are
// equal rows teaches no weights. Equal rows are one all the same; those that share
// a title alone are not.
func TestEqualTextsAreOneWithoutLearning(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewSource(3))
	some := func(n int, of ...string) (text string) {
		for _, i := range r.Perm(len(of))[:n] {
			text += " " + of[i]
		}
		return text[1:]
	}
	kinds := []string{"red", "green", "blue", "fast", "slow", "tiny", "large", "metal", "wooden", "plastic", "cotton", "leather", "bright", "dark"}
	things := []string{"chair", "table", "lamp", "shelf", "drawer", "pencil", "bottle", "basket", "ladder", "hammer", "wrench", "kettle"}
	rows := [][]string{{"title", "description"}}
	for i := range 2000 {
		rows = append(rows, []string{some(2, kinds...) + " " + some(1, things...) + " " + fmt.Sprint(1000+i), some(4, kinds...) + " " + some(2, things...)})
	}
	for i := range 200 {
		rows = append(rows, rows[1+i])
	}
	for i := range 20 {
		rows = append(rows, []string{rows[1001+i][0], some(4, kinds...) + " " + some(2, things...)})
	}
	_, got := table(t, dedupe.Options{}, rows...)
	if got.Duplicates != 200 {
		t.Errorf("%d duplicates, want the 200 equal rows", got.Duplicates)
	}
}
