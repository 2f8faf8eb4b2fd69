package auth

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"
)

// dice fills bytes that differ from call to call.
func dice() func([]byte) {
	var mu sync.Mutex
	random := rand.NewChaCha8([32]byte{1})
	return func(p []byte) {
		mu.Lock()
		defer mu.Unlock()
		_, _ = random.Read(p)
	}
}

func TestAPasswordOpensItsHashAndNothingElse(t *testing.T) {
	h := NewHasher(dice(), 2)
	one, err := h.Hash(t.Context(), "four words in a row")
	if err != nil {
		t.Fatal(err)
	}
	two, err := h.Hash(t.Context(), "four words in a row")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(one, "$argon2id$v=19$m=19456,t=2,p=1$") || one == two {
		t.Errorf("hashes %q and %q: want argon2id with the parameters of OWASP, each with a salt of its own", one, two)
	}
	composed, err := h.Hash(t.Context(), "caf\u00e9 und noch was")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, stored, given string
		want                bool
	}{
		{"right", one, "four words in a row", true},
		{"wrong", one, "four words in a rov", false},
		{"empty", one, "", false},
		{"nobody's", "", "four words in a row", false},
		{"nobody's, empty", "", "", false},
		{"typed as letter and accent", composed, "cafe\u0301 und noch was", true},
	}
	for _, tt := range tests {
		before := h.Done()
		got, err := h.Verify(t.Context(), tt.stored, tt.given)
		if err != nil || got != tt.want || h.Done() != before+1 {
			t.Errorf("%s: %v, %v after %d hashes, want %v after 1", tt.name, got, err, h.Done()-before, tt.want)
		}
	}
}

func TestADamagedHashIsRefused(t *testing.T) {
	h := NewHasher(dice(), 1)
	good := "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA"
	if _, err := h.Verify(t.Context(), good, "x"); err != nil {
		t.Fatalf("a good hash: %v", err)
	}
	for _, s := range []string{
		"x", "$argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", "$argon2id$v=18$m=64,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
		"$argon2id$v=19$m=64,t=0,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", "$argon2id$v=19$m=99999999,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
		"$argon2id$v=19$m=64,t=1,p=0$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$", "$argon2id$v=19$m=64,t=1,p=1$!$aGFzaGhhc2hoYXNoaGFzaA",
	} {
		if ok, err := h.Verify(t.Context(), s, "x"); ok || err == nil || strings.Contains(err.Error(), "aGFz") {
			t.Errorf("%s: %v, %v, want an error that does not show it", s, ok, err)
		}
	}
}

// TestHashingIsBounded: a few at a time, so many waiting, and no more.
func TestHashingIsBounded(t *testing.T) {
	h := NewHasher(dice(), 1)
	h.slots <- struct{}{} // the only one is taken
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, maxWaiting)
	for range maxWaiting {
		go func() {
			_, err := h.Verify(ctx, "", "x")
			ended <- err
		}()
	}
	for h.waiting.Load() < maxWaiting {
		time.Sleep(time.Millisecond)
	}
	if _, err := h.Verify(ctx, "", "x"); !errors.Is(err, ErrBusy) {
		t.Errorf("one more than may wait: %v, want ErrBusy", err)
	}
	cancel()
	for range maxWaiting {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("who waits when the request ends: %v", err)
		}
	}
	if h.Done() != 0 {
		t.Errorf("%d hashes were computed, want none", h.Done())
	}
}

func TestWhichPasswordsAreTaken(t *testing.T) {
	tests := []struct {
		password string
		want     error
	}{
		{"four words in a row", nil},
		{"春江花月夜花好月圆人长久", nil},
		{"春江花月夜", WeakShort},
		{"elevenchars", WeakShort},
		{"", WeakShort},
		{strings.Repeat("long words ", 24), WeakLong},
		{strings.Repeat("x", 5000), WeakLong},
		{"qwertyuiop123", WeakCommon},
		{"Password2024!", WeakCommon},
		{"P4ssw0rd!!!!!", WeakCommon},
		{"!!!Dragon2026", WeakCommon},
		{"iloveyou123456", WeakCommon},
		{"aaaaaaaaaaaaaaaa", WeakRepeated},
		{"abababababababab", WeakRepeated},
		{"abcdefghijklmnop", WeakRepeated},
		{"0987654321098", WeakRepeated},
		{"ann.alder2026", WeakName},
		{"annalder-alder", WeakName},
		{"touchstone-2026", WeakName},
		{"touchstone is a fine stone", nil},
		{"alder trees stand by the water", nil},
		{"nj4b-743w-qvf3-6c8x", nil},
	}
	for _, tt := range tests {
		if err := CheckPassword(tt.password, "ann.alder", "Ann Alder"); !errors.Is(err, tt.want) {
			t.Errorf("CheckPassword(%q) = %v, want %v", tt.password, err, tt.want)
		}
	}
}

func TestLoginNames(t *testing.T) {
	tests := []struct{ given, want string }{
		{"Ann", "ann"},
		{" ann.b-c_d ", "ann.b-c_d"},
		{"ann@example.com", "ann@example.com"},
		{"王伟", "王伟"},
		{"Ｂｏｂ", "bob"},
		{"a", ""},
		{"", ""},
		{"-ann", ""},
		{"an n", ""},
		{"ann/x", ""},
		{"page:local", ""},
		{strings.Repeat("a", 65), ""},
		{"ann\u202e", ""},
	}
	for _, tt := range tests {
		got, err := CheckLogin(tt.given)
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("CheckLogin(%q) = %q, %v, want %q", tt.given, got, err, tt.want)
		}
	}
}
