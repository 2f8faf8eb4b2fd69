//go:build amd64 || arm64

package dedupe

// fetch asks the processor for n bytes, one at the least, that are wanted soon,
// and does not wait for them.
//
//go:noescape
func fetch(p *byte, n uint64)
