package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"touchstone/internal/store"
)

// unbalanced looks at what ended a round of resolving. A change that did not
// balance has been rolled back: its certificate is kept, the decisions it came
// from are taken back, and resolving goes on (again). One that the matcher made
// by itself has nobody's decision to take back: then the error stands, and the
// records wait.
func (a *App) unbalanced(ctx context.Context, err error) (again bool, _ error) {
	var i *store.Imbalance
	if !errors.As(err, &i) || a.rebuilding {
		return false, err
	}
	text := i.Text(a.SourceName)
	taken, e := a.Store.Refuse(ctx, i, "touchstone", text)
	if e != nil {
		return false, errors.Join(err, e)
	}
	a.Log.Error("a change of customers was rolled back: what they hold would not be what it was", "entity", i.Sheet.Entity, "decisions", taken, "err", text)
	if len(taken) == 0 {
		return false, fmt.Errorf("resolve %s: %s", i.Sheet.Entity, text)
	}
	return true, nil
}

// refusalsTold is how long a change that did not balance calls a person.
const refusalsTold = 24 * time.Hour

// unbalancedIncident says that changes did not balance lately.
func unbalancedIncident(n int) (incident, bool) {
	return incident{ruleBalance, "", fmt.Sprintf("%d merges or splits of the last day were rolled back: something would have been lost or doubled (touchstone decisions list, the log)", n)}, n > 0
}
