package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/matching"
	"touchstone/matching/live"
)

// fed opens a world whose feed has brought n companies of the pool, over and over
// when it has fewer.
func fed(t *testing.T, dsn string, n int) *world {
	t.Helper()
	companies := pool(t)
	w := newWorld(t, dsn)
	w.yaml = feedYAML
	w.opts = Options{Batch: 50}
	w.open()
	f := &feed{}
	w.app.order[0].intakes[0].Puller = f
	var page []record.Raw
	for i := range n {
		o := map[string]any{"id": fmt.Sprintf("r%04d", i), "deleted": false}
		for k, v := range companies[i%len(companies)] {
			o[k] = v
		}
		b, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		page = append(page, record.Raw{Entity: record.Company, Data: b, Stamp: time.Date(2025, 1, 1, 0, 0, i, 0, time.UTC)})
	}
	f.pages = append(f.pages, page)
	if err := w.app.PullAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

// otherModel keeps a model under the name "other" that takes branches and other
// trades for the same firm, and thinks little of domains and phones.
func (w *world) otherModel() *matching.Model {
	w.Helper()
	start, _ := matching.StartModel(record.Company)
	b, err := json.Marshal(start)
	if err != nil {
		w.Fatal(err)
	}
	body := strings.NewReplacer(`"start-4"`, `"other"`, `"entity":"company"`, `"entity":"company","keys":["id","name","name-full","alike"]`, `{"name":"different","weight":-14000}`, `{"name":"different","weight":0}`, `{"name":"different","weight":-7000}`, `{"name":"different","weight":1000}`,
		`{"name":"same domain","weight":9000}`, `{"name":"same domain","weight":3000}`, `{"name":"same","weight":16000}`, `{"name":"same","weight":3000}`).Replace(string(b))
	m, err := matching.DecodeModel([]byte(body))
	if err != nil {
		w.Fatal(err)
	}
	if _, err := w.app.Store.SaveFitted(w.Context(), store.Model{Entity: record.Company, Version: "other", Body: body}, "tester"); err != nil {
		w.Fatal(err)
	}
	return m
}

func (w *world) canonicalText() string {
	w.Helper()
	var b bytes.Buffer
	if err := w.app.ExportCanonical(w.Context(), &b); err != nil {
		w.Fatal(err)
	}
	return b.String()
}

func (w *world) batchBy(m *matching.Model) [][]record.Ref {
	w.Helper()
	_, features := w.partition()
	return live.Batch(live.Config{Model: m, Link: w.app.entities[0].resolver.Link}, features, nil)
}

// TestAnotherModelIsPlannedActivatedAndTakenBack: the plan says what then
// happens, a crash in the middle is finished later, and activating the old model
// again brings back what was, byte for byte.
func TestAnotherModelIsPlannedActivatedAndTakenBack(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		ctx := t.Context()
		w := fed(t, dsn, 400)
		script{}.resolve(w)
		before := w.canonicalText()
		was, _ := w.partition()
		other := w.otherModel()

		plan, err := w.app.PlanModel(ctx, "other", nil)
		if err != nil {
			t.Fatal(err)
		}
		if plan.Merges == 0 || plan.Splits == 0 || len(plan.Changes) == 0 || plan.From != "start-4" {
			t.Errorf("plan %+v: want merges and splits instead of start-4", plan)
		}
		if got := w.canonicalText(); got != before {
			t.Error("planning has changed golden records")
		}
		if left, _ := filepath.Glob(filepath.Join(w.dir, "data", "model-plan-*")); len(left) > 0 {
			t.Errorf("planning leaves %v", left)
		}

		if _, err := w.app.ActivateModel(ctx, "company/other", "tester", "it is better"); err != nil {
			t.Fatal(err)
		}
		cut, cancel := context.WithCancel(ctx)
		defer cancel()
		rounds := 0
		err = w.app.Resolve(cut, func(string, string, int) {
			if rounds++; rounds == 3 {
				cancel()
			}
		})
		if err == nil {
			t.Fatal("the switch was not cut short")
		}
		if on, err := w.app.Store.Activating(ctx, record.Company); err != nil || !on {
			t.Errorf("half way: activating %v, %v", on, err)
		}
		w.restart("")
		if got := w.app.entities[0].model.Load().Version; got != "other" {
			t.Fatalf("after a crash in the middle model %s is in force, want other", got)
		}
		script{}.resolve(w)
		is, _ := w.partition()
		if diff := cmp.Diff(w.batchBy(other), is); diff != "" {
			t.Errorf("the partition differs from one batch by the other model (-batch +store):\n%s", diff)
		}
		if on, err := w.app.Store.Activating(ctx, record.Company); err != nil || on {
			t.Errorf("at the end: activating %v, %v", on, err)
		}
		gone, come := lost(was, is), lost(is, was)
		if grown := len(is) - len(was); plan.Golden.New-plan.Golden.Gone != grown || plan.Splits-plan.Merges != grown {
			t.Errorf("planned %+v golden records, %d merges and %d splits; there are %d more now", plan.Golden, plan.Merges, plan.Splits, grown)
		}
		if changed := plan.Golden.Changed + plan.Golden.New; changed != come || plan.Golden.Changed+plan.Golden.Gone != gone {
			t.Errorf("planned %+v golden records; %d groups are gone and %d are new", plan.Golden, gone, come)
		}
		w.verify()

		if _, err := w.app.ActivateModel(ctx, "company/start-4", "tester", "it was not"); err != nil {
			t.Fatal(err)
		}
		script{}.resolve(w)
		if diff := cmp.Diff(before, w.canonicalText()); diff != "" {
			t.Errorf("the old model again does not bring back what was (-before +after):\n%.2000s", diff)
		}
		w.verify()
		if again, err := w.app.Store.ActivateModel(ctx, record.Company, "start-4", "tester", ""); err != nil || again {
			t.Errorf("activating the model that is in force: %v, %v; want nothing", again, err)
		}
		if _, err := w.app.ActivateModel(ctx, "none", "tester", ""); !errors.Is(err, record.ErrNotFound) {
			t.Errorf("activating an unknown model: %v, want ErrNotFound", err)
		}
		w.wantAudited(map[string]int{"model.fitted company/other": 1, "model.activated company/other": 1, "model.activated company/start-4": 1})
	})
}

// lost counts the groups of a that are not in b.
func lost(a, b [][]record.Ref) (n int) {
	in := map[string]bool{}
	for _, g := range b {
		in[fmt.Sprint(g)] = true
	}
	for _, g := range a {
		if !in[fmt.Sprint(g)] {
			n++
		}
	}
	return n
}

func (w *world) wantAudited(want map[string]int) {
	w.Helper()
	got := map[string]int{}
	for name := range want {
		what, subject, _ := strings.Cut(name, " ")
		n, err := w.app.Store.Audited(w.Context(), what, subject)
		if err != nil {
			w.Fatal(err)
		}
		got[name] = n
	}
	if diff := cmp.Diff(want, got); diff != "" {
		w.Errorf("audit entries (-want +got):\n%s", diff)
	}
}

// TestModelActivatedBesideTheResolver: a command puts another model in force
// while the daemon resolves; what it was weighing is weighed again.
func TestModelActivatedBesideTheResolver(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w := fed(t, dsn, 300)
		other := w.otherModel()
		rounds := 0
		err := w.app.Resolve(t.Context(), func(string, string, int) {
			if rounds++; rounds == 2 {
				if _, err := w.app.ActivateModel(t.Context(), "other", "tester", ""); err != nil {
					t.Error(err)
				}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		groups, _ := w.partition()
		if diff := cmp.Diff(w.batchBy(other), groups); diff != "" {
			t.Errorf("the partition differs from one batch by the other model (-batch +store):\n%s", diff)
		}
		w.verify()
	})
}

// TestNothingIsPushedWhileAModelIsSwitched: the plan counts the writes, none of
// them leaves before every record is weighed anew, and then those leave.
func TestNothingIsPushedWhileAModelIsSwitched(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		zenith := strings.NewReplacer("Acme Tools", "Zenith Bakery", "acmetools", "zenith", "Mill Lane", "Bread Street").Replace(acme("o2", "1", ""))
		w, _, desk := two(t, dsn, []string{acme("c1", "2", `,"phone":"+44 113 496 0001"`)}, []string{strings.Replace(acme("o1", "1", ""), "12 Mill Lane", "9 Dock Road", 1), zenith})
		w.opts.Batch = 1
		w.open()
		body, err := json.Marshal(w.app.entities[0].model.Load())
		if err != nil {
			t.Fatal(err)
		}
		apart := strings.NewReplacer(`"start-4"`, `"apart"`, `{"name":"same","weight":9000}`, `{"name":"same","weight":-9000}`).Replace(string(body))
		if _, err := w.app.Store.SaveFitted(t.Context(), store.Model{Entity: record.Company, Version: "apart", Body: apart}, "tester"); err != nil {
			t.Fatal(err)
		}
		if _, err := w.app.ActivateModel(t.Context(), "apart", "tester", ""); err != nil {
			t.Fatal(err)
		}
		w.clean()
		if got, want := w.members("crm/company/c1"), "crm/company/c1"; got != want {
			t.Fatalf("members %q, want %q: the model keeps them apart", got, want)
		}
		plan, err := w.app.PlanModel(t.Context(), "company/start-4", nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]WritesPlan{{Target: "desk", System: "desk", Updates: 1, Fields: []FieldPlan{{Field: "phone", Changed: 1}}}}, plan.Writes); diff != "" || plan.Merges != 1 || plan.Splits != 0 {
			t.Errorf("%d merges, %d splits, writes (-want +got):\n%s", plan.Merges, plan.Splits, diff)
		}
		written := w.written()
		if _, err := w.app.ActivateModel(t.Context(), "company/start-4", "tester", ""); err != nil {
			t.Fatal(err)
		}
		cut, cancel := context.WithCancel(t.Context())
		defer cancel()
		err = w.app.Resolve(cut, func(_, _ string, done int) {
			if done == 2 { // the two of Acme; Zenith waits
				cancel()
			}
		})
		if err == nil || len(w.rows("desk", store.Pending)) != 1 {
			t.Fatalf("half way: %v, %d writes wait, want one", err, len(w.rows("desk", store.Pending)))
		}
		if _, err := w.app.deliver(t.Context(), w.app.targets[0]); err != nil {
			t.Fatal(err)
		}
		if got := w.written(); got != written {
			t.Errorf("%d writes left in the middle of the switch", got-written)
		}
		w.clean()
		if got := w.written() - written; got != plan.Writes[0].Updates {
			t.Errorf("%d writes, planned %d", got, plan.Writes[0].Updates)
		}
		desk.want("o1", "phone", "+44 113 496 0001")
		w.end()
	})
}

// TestTrainKeepsACandidate: a model is fitted from the store's features, twice
// the same; it is in force only when somebody says so. Too few are refused.
func TestTrainKeepsACandidate(t *testing.T) {
	w := fed(t, "", matching.LeastRecords)
	first, err := w.app.Train(t.Context(), record.Company, "tester", Labels{})
	if err != nil {
		t.Fatal(err)
	}
	if !first.New || !strings.HasPrefix(first.Version, "fit-") || first.Figures.Records != matching.LeastRecords || first.Figures.From != "start-4" {
		t.Errorf("first training: %+v", first)
	}
	again, err := w.app.Train(t.Context(), record.Company, "tester", Labels{})
	if err != nil || again.New || again.Version != first.Version {
		t.Errorf("second training: %s, new %v, %v; want %s again", again.Version, again.New, err, first.Version)
	}
	list, err := w.app.Models(t.Context())
	if err != nil || len(list) != 3 { // persons have one too
		t.Fatalf("models %+v, %v", list, err)
	}
	for _, m := range list {
		if m.Active != (m.Version == "start-4") {
			t.Errorf("model %s: active %v", m.Version, m.Active)
		}
	}
	shown, err := w.app.Model(t.Context(), first.Version)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first.Figures, shown.Figures); diff != "" {
		t.Errorf("figures shown (-trained +shown):\n%s", diff)
	}
	if _, err := w.app.Train(t.Context(), "ship", "tester", Labels{}); !errors.Is(err, record.ErrNotFound) {
		t.Errorf("training an unknown entity type: %v", err)
	}
	few := fed(t, "", 30)
	refused, err := few.app.Train(t.Context(), record.Company, "tester", Labels{})
	if err != nil || !strings.Contains(refused.Refused, "there are 30, and 2000 are needed") {
		t.Errorf("training from 30 records: %+v, %v", refused, err)
	}
}

// TestSharedIdentifiersAreListed with what people can read.
func TestSharedIdentifiersAreListed(t *testing.T) {
	w := fed(t, "", 120)
	script{}.resolve(w)
	list, err := w.app.SharedIdentifiers(t.Context(), record.Company, 10)
	if err != nil {
		t.Fatal(err)
	}
	phones := 0
	for _, s := range list {
		if s.Names <= s.Line || s.Records < s.Names || s.Kind == "" || s.Value == "" {
			t.Errorf("shared identifier %+v", s)
		}
		if s.Kind == "phone" && strings.HasPrefix(s.Value, "794600") {
			phones++
		}
	}
	if phones != 2 {
		t.Errorf("%d of the two switchboards among %+v", phones, list)
	}
}

// TestLeftPlansAreSwept: a plan holds a copy of facts; one that was killed leaves
// it until the next start.
func TestLeftPlansAreSwept(t *testing.T) {
	w := fed(t, "", 3)
	left := filepath.Join(w.dir, "data", "model-plan-1")
	if err := os.Mkdir(left, 0o700); err != nil {
		t.Fatal(err)
	}
	w.restart("")
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Errorf("after a start: %v, want it gone", err)
	}
}
