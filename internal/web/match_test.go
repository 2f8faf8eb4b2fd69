package web

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"touchstone/internal/audit"
)

// failing cannot answer, and notes under which number it was asked.
type failing struct {
	noLookUps
	number *string
}

func (f failing) WhyShown(ctx context.Context, _, _ string) (any, []string, error) {
	*f.number = audit.From(ctx).Request
	return nil, nil, errors.New("the store is away")
}

// TestAFailedLookUpIsToldByTheNumberOfItsRequest: the caller, the log, the trail and
// the trace know it by one number.
func TestAFailedLookUpIsToldByTheNumberOfItsRequest(t *testing.T) {
	var asked string
	var log strings.Builder
	drawn := byte(0)
	h := newHandler(newOffice(), func(o *Options) {
		o.LookUp, o.Log = failing{number: &asked}, slog.New(slog.NewTextHandler(&log, nil))
		o.Env.Rand = func(p []byte) {
			drawn++
			p[0] = drawn
		}
	})
	w := get(t, h, "/api/why?a=crm/company/1&b=crm/company/2")
	var got struct{ Error apiError }
	err := json.Unmarshal(w.Body.Bytes(), &got)
	if err != nil || w.Code != http.StatusInternalServerError || asked == "" || got.Error.ID != asked || !strings.Contains(log.String(), "request="+asked) {
		t.Errorf("%d %s, %v; want 500 and the number %q, which the log has too: %s", w.Code, w.Body, err, asked, &log)
	}
}
