package store

// forReader is an error whose text is for who asked: what they want cannot be
// done as they want it.
type forReader struct{ text string }

func (r *forReader) Error() string { return r.text }

// ForReader says that the text is for who asked.
func (r *forReader) ForReader() bool { return true }

// ForReader says that the text is for who asked.
func (c *Contradiction) ForReader() bool { return true }

// ForReader says that the text is for who asked.
func (w *WrongState) ForReader() bool { return true }

// ForReader says that the text is for who asked.
func (i *Impossible) ForReader() bool { return true }
