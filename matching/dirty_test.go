package matching

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"touchstone/internal/record"
)

// dirty makes things of an entity type of one's own for tests: products with a
// name and a description, some of them twice. Each word of the second copy has a
// slip with the probability given. Of two rows of one product the numbers are
// equal.
type dirty struct {
	shape    Shape
	features []*Features
	fields   []record.Fields
	product  []int
}

func dirtyProducts(n int, slips float64) dirty {
	r := rand.New(rand.NewPCG(11, 12))
	pick := func(list string) string { w := strings.Fields(list); return w[r.IntN(len(w))] }
	const (
		makers    = "Acura Bexley Corvin Dantos Elmira Fenwick Gorham Halden Ivarson Jutland Kestrel Lomax Merrow Norvik Ostara Pelham Quorra Ravens Sutter Tallis Umbra Vesper Wexford Yarrow Zephyr"
		qualities = "compact portable industrial professional stainless cordless rechargeable waterproof adjustable foldable reinforced digital thermal hydraulic pneumatic magnetic ceramic titanium silent heavy"
		things    = "drill grinder compressor generator lantern blender kettle toaster scanner printer monitor keyboard speaker projector telescope microscope thermometer wheelbarrow lawnmower chainsaw ladder toolbox workbench heater ventilator"
		purposes  = "workshops kitchens gardens laboratories offices warehouses construction schools hospitals farms boats caravans garages studios"
		extras    = "carrying case charger battery remote bracket manual warranty adapter filter stand cable nozzle strap"
	)
	d := dirty{shape: ShapeOf(map[string]string{"title": KindName, "about": KindText})}
	add := func(product int, title, about string) {
		f := record.Fields{"title": record.TextValue(title), "about": record.TextValue(about)}
		d.fields, d.product = append(d.fields, f), append(d.product, product)
		d.features = append(d.features, StandardiseAs("product", d.shape, f))
	}
	for p := 0; len(d.features) < n; p++ {
		syllables := ""
		for range 3 {
			syllables += pick("ba be bi bo da de di do fa fe ka ke ki ko la le li lo ma me mi mo na ne ni no pa pe pi po ra re ri ro sa se si so ta te ti to va ve vi vo")
		}
		title := fmt.Sprintf("%s %s %s %s %s", pick(makers), syllables, pick(qualities), pick(qualities), pick(things))
		about := fmt.Sprintf("for %s and %s with %s and %s made by %s", pick(purposes), pick(purposes), pick(extras), pick(extras), pick(makers))
		add(p, title, about)
		if r.Float64() < 0.3 {
			add(p, slipped(r, title, slips), slipped(r, about, slips))
		}
	}
	return d
}

// slipped makes one slip in each word, with that probability.
func slipped(r *rand.Rand, text string, slips float64) string {
	words := strings.Fields(text)
	for k, w := range words {
		if len(w) < 3 || r.Float64() >= slips {
			continue
		}
		i := r.IntN(len(w) - 1)
		switch r.IntN(4) {
		case 0:
			words[k] = w[:i] + w[i+1:]
		case 1:
			words[k] = w[:i] + w[i+1:i+2] + w[i:i+1] + w[i+2:]
		case 2:
			words[k] = w[:i] + w[i:i+1] + w[i:]
		default:
			words[k] = w[:i] + string(rune('a'+r.IntN(26))) + w[i+1:]
		}
	}
	return strings.Join(words, " ")
}
