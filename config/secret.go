package config

import (
	"fmt"
	"log/slog"
)

// hidden is what a Secret shows of itself, and what Print writes in its place.
const hidden = "<secret>"

// Secret is a value that must not be seen: every way of printing it gives
// "<secret>". The value is behind a pointer, so that fmt, which cannot call
// methods of unexported fields, shows an address even there.
type Secret struct {
	value *string
	ref   bool // named by a reference that was left unresolved
}

// NewSecret makes a secret; "" gives the zero Secret.
func NewSecret(s string) Secret {
	if s == "" {
		return Secret{}
	}
	return Secret{value: &s}
}

// Reveal gives the value itself: "" if there is none, or if it was left
// unresolved by Options.NoSecrets.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsZero says that no secret was configured. A reference that was left
// unresolved counts as configured.
func (s Secret) IsZero() bool { return s.value == nil && !s.ref }

// Equal says whether two secrets hold the same value.
func (s Secret) Equal(o Secret) bool { return s.Reveal() == o.Reveal() && s.ref == o.ref }

// String gives "<secret>".
func (s Secret) String() string { return hidden }

// GoString gives "<secret>".
func (s Secret) GoString() string { return hidden }

// Format writes "<secret>" for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// LogValue gives "<secret>".
func (s Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText gives "<secret>"; JSON uses it too.
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// MarshalYAML gives "<secret>".
func (s Secret) MarshalYAML() (any, error) { return hidden, nil }
