package label

import "fmt"

// Beside numbers the clusters of a truth and of a result for the same records,
// as eval.Of takes them. Records that a truth of clusters does not name are left
// out; where it lists true pairs they are customers of their own, and those that
// the result does not name are left out. A record that a truth of clusters names
// and the result does not is an error.
func (t Truth) Beside(result Truth) (truth, found []int, err error) {
	type place struct{ side, cluster string }
	number := map[place]int{}
	of := func(side, cluster string) int {
		n, ok := number[place{side, cluster}]
		if !ok {
			n = len(number)
			number[place{side, cluster}] = n
		}
		return n
	}
	for _, id := range t.IDs {
		cluster, ok := result.Cluster[id]
		if !ok && t.Open {
			continue
		}
		if !ok {
			return nil, nil, fmt.Errorf("there is no record %q, which the truth names", id)
		}
		truth, found = append(truth, of("truth", t.Cluster[id])), append(found, of("found", cluster))
	}
	if !t.Open {
		return truth, found, nil
	}
	for _, id := range result.IDs {
		if _, named := t.Cluster[id]; !named {
			truth, found = append(truth, of("single", id)), append(found, of("found", result.Cluster[id]))
		}
	}
	return truth, found, nil
}
