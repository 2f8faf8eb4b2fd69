package store

import (
	"fmt"
	"hash/fnv"
	"testing"
)

// TestDigestsStayWhatTheyWere: kept certificates name digests, so what is written
// faster is written the same.
func TestDigestsStayWhatTheyWere(t *testing.T) {
	for _, row := range [][]any{
		nil, {int64(0)}, {int64(-42), "王小明", "", true, 3.5, nil}, {"a;1:b", int64(1 << 62), []byte("x")}, {string(make([]byte, 1000)), int64(7)},
	} {
		f := fnv.New64a()
		for _, v := range row {
			text := fmt.Sprint(v)
			_, _ = fmt.Fprintf(f, "%d:%s;", len(text), text)
		}
		if got, want := digestOf(row), f.Sum64(); got != want {
			t.Errorf("digest of %v: %x, want %x", row, got, want)
		}
	}
}
