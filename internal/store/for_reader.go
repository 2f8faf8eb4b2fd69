package store

import (
	"touchstone/internal/say"
)

// forReader is an error whose text is for who asked: what they want cannot be
// done as they want it.
type forReader struct{ said say.Text }

func refused(format string, args ...any) error { return &forReader{say.New(format, args...)} }

func (r *forReader) Error() string { return r.said.String() }

// Told says what cannot be done.
func (r *forReader) Told() say.Text { return r.said }

// ForReader says that the text is for who asked.
func (r *forReader) ForReader() bool { return true }

// ForReader says that the text is for who asked.
func (c *Contradiction) ForReader() bool { return true }

// ForReader says that the text is for who asked.
func (w *WrongState) ForReader() bool { return true }

// ForReader says that the text is for who asked.
func (i *Impossible) ForReader() bool { return true }
