package web

import (
	"fmt"
	"strings"

	"rsc.io/qr"
)

// qrCode is a QR code as one path on a square of modules.
type qrCode struct {
	Path string
	Box  string
	Side int // pixels
}

const (
	// qrQuiet is the empty edge that readers need, in modules (ISO/IEC 18004).
	qrQuiet  = 4
	qrModule = 4 // pixels
)

// drawQR draws a text; nil where it is too long for a code.
func drawQR(text string) *qrCode {
	c, err := qr.Encode(text, qr.M)
	if err != nil {
		return nil
	}
	var b strings.Builder
	for y := range c.Size {
		for x := 0; x < c.Size; x++ {
			n := 0
			for x+n < c.Size && c.Black(x+n, y) {
				n++
			}
			if n > 0 {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", x+qrQuiet, y+qrQuiet, n, n)
				x += n
			}
		}
	}
	side := c.Size + 2*qrQuiet
	return &qrCode{Path: b.String(), Box: fmt.Sprintf("0 0 %d %d", side, side), Side: side * qrModule}
}
