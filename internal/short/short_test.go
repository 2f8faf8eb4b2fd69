package short_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"touchstone/internal/short"
)

func left(n int) string { return fmt.Sprintf("…%d", n) }

func TestText(t *testing.T) {
	tests := []struct {
		in   string
		most int
		want string
	}{
		{"", 3, ""},
		{"abc", 3, "abc"},
		{"abcd", 3, "abc…1"},
		{"长长长", 4, "长…2"},
		{"长", 1, "…1"},
		{"\xff\xfe\xfd\xfc", 2, "\xff\xfe…2"},
		{strings.Repeat("\x80", 5), 2, "…5"}, // no character begins there: nothing is shown
	}
	for _, tt := range tests {
		if got := short.Text(tt.in, tt.most, left); got != tt.want {
			t.Errorf("Text(%q, %d) = %q, want %q", tt.in, tt.most, got, tt.want)
		}
	}
}

func TestTextsReachEverything(t *testing.T) {
	type inner struct{ A string }
	type outer struct {
		inner
		B    []inner
		C    map[string]inner
		D    *inner
		E    any
		F    []byte
		G    [1]string
		H    map[string][]string
		I    *inner
		J    any
		kept string
	}
	got := outer{
		inner{"abcd"}, []inner{{"abcd"}}, map[string]inner{"long key": {"abcd"}}, &inner{"abcd"}, inner{"abcd"}, []byte("abcd"), [1]string{"abcd"}, map[string][]string{"x": {"abcd", "a"}}, nil, nil, "abcd",
	}
	short.Texts(&got, 3, left)
	const cut = "abc…1"
	want := outer{
		inner{"abcd"}, []inner{{cut}}, map[string]inner{"long key": {cut}}, &inner{cut}, inner{cut}, []byte("abcd"), [1]string{cut}, map[string][]string{"x": {cut, "a"}}, nil, nil, "abcd",
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(outer{}, inner{})); diff != "" {
		t.Errorf("cut (-want +got):\n%s", diff)
	}
}
