package matching_test

import (
	"testing"

	"touchstone/matching"
)

func BenchmarkStandardise(b *testing.B) {
	for _, name := range setNames {
		set := load(b, name)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				matching.Standardise(set.entity, set.fields[i%len(set.fields)])
				i++
			}
		})
	}
}

func BenchmarkKeys(b *testing.B) {
	for _, name := range setNames {
		set := load(b, name)
		features := set.features()
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			i, keys := 0, 0
			for b.Loop() {
				keys += len(features[i%len(features)].Keys())
				i++
			}
			b.ReportMetric(float64(keys)/float64(i), "keys/record")
		})
	}
}

// BenchmarkWeigh takes pairs that share a key: what blocking hands over.
func BenchmarkWeigh(b *testing.B) {
	for _, name := range setNames {
		set := load(b, name)
		features := set.features()
		m := model(b, set.entity)
		holders := map[uint64][]int{}
		var pairs [][2]int
		for i, f := range features {
			for _, k := range f.Keys() {
				for _, j := range holders[k.Coarse] {
					if len(pairs) < 5000 {
						pairs = append(pairs, [2]int{i, j})
					}
				}
				holders[k.Coarse] = append(holders[k.Coarse], i)
			}
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				p := pairs[i%len(pairs)]
				m.Weigh(features[p[0]], features[p[1]])
				i++
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, name := range setNames {
		set := load(b, name)
		var all [][]byte
		size := 0
		for _, f := range set.features() {
			all = append(all, f.AppendBinary(nil))
			size += len(all[len(all)-1])
		}
		b.Run(name, func(b *testing.B) {
			i := 0
			for b.Loop() {
				if _, err := matching.DecodeFeatures(all[i%len(all)]); err != nil {
					b.Fatal(err)
				}
				i++
			}
			b.ReportMetric(float64(size)/float64(len(all)), "bytes/record")
		})
	}
}
