package profile

import (
	"math"
	"math/bits"
)

// distinct counts different values: exactly up to a bound, then by HyperLogLog
// (Flajolet, Fusy, Gandouet, Meunier 2007) with 2^12 registers, whose standard
// error is 1.04/√4096 = 1.6 %.
type distinct struct {
	few       map[uint64]struct{}
	registers []uint8
}

const (
	exactly   = 1000
	registers = 12
)

func (d *distinct) add(s string) {
	h := hash(s)
	if d.registers == nil {
		if d.few == nil {
			d.few = map[uint64]struct{}{}
		}
		d.few[h] = struct{}{}
		if len(d.few) <= exactly {
			return
		}
		d.registers = make([]uint8, 1<<registers)
		for h := range d.few { // a maximum: the order does not matter
			d.note(h)
		}
		d.few = nil
		return
	}
	d.note(h)
}

func (d *distinct) note(h uint64) {
	i := h >> (64 - registers)
	d.registers[i] = max(d.registers[i], uint8(bits.LeadingZeros64(h<<registers|1<<(registers-1)))+1)
}

func (d *distinct) count() int {
	if d.registers == nil {
		return len(d.few)
	}
	const m = 1 << registers
	sum, zero := 0.0, 0
	for _, r := range d.registers {
		sum += math.Ldexp(1, -int(r))
		if r == 0 {
			zero++
		}
	}
	e := 0.7213 / (1 + 1.079/float64(m)) * m * m / sum
	if e <= 2.5*m && zero > 0 {
		e = m * math.Log(float64(m)/float64(zero))
	}
	return int(math.Round(e))
}

// hash is FNV-1a with the end of SplitMix64 behind it: the same everywhere, and
// well mixed in its highest bits.
func hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}
