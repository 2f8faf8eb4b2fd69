package matching_test

import (
	"testing"

	"touchstone/matching"
)

func BenchmarkStandardise(b *testing.B) {
	for _, name := range setNames {
		set := load(b, name)
		values := make([]matching.Values, len(set.fields))
		for i, f := range set.fields {
			values[i] = matching.FromRecord(f)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var s matching.Standardiser
			var room []byte
			i := 0
			for b.Loop() {
				room = s.Append(room[:0], set.entity, &values[i%len(values)])
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
			var keys []matching.KeyHash
			i, n := 0, 0
			for b.Loop() {
				keys = features[i%len(features)].AppendKeys(keys[:0])
				n += len(keys)
				i++
			}
			b.ReportMetric(float64(n)/float64(i), "keys/record")
		})
	}
}

// BenchmarkWeigh takes pairs that share a key: what blocking hands over.
func BenchmarkWeigh(b *testing.B) {
	for _, name := range setNames {
		set := load(b, name)
		features, m := set.features(), model(b, set.entity)
		pairs := candidates(features)
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
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if _, err := matching.View(all[i%len(all)]); err != nil {
					b.Fatal(err)
				}
				i++
			}
			b.ReportMetric(float64(size)/float64(len(all)), "bytes/record")
		})
	}
}
