package app

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"touchstone/internal/web"
)

// viewNames lists the views that somebody is offered, "name query" and a star
// where one is shared.
func viewNames(t *testing.T, w *world, page, who string) string {
	t.Helper()
	list, err := w.app.Views(t.Context(), page, who)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, v := range list {
		text := v.Who + ":" + v.Name + "?" + v.Query
		if v.Shared {
			text += "*"
		}
		out = append(out, text)
	}
	return strings.Join(out, " ")
}

// TestViewsAreKeptForWhoMadeThem: by name, each once, page by page; shared ones
// are offered to all, and only who keeps the accounts takes another one's away.
func TestViewsAreKeptForWhoMadeThem(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w := relatedWorld(t, dsn, 1, 0)
		ctx := t.Context()
		save := func(page, who, name, query string, shared bool) error {
			return w.app.SaveView(ctx, page, web.View{Who: who, Name: name, Query: query, Shared: shared})
		}
		for _, v := range []struct {
			page, who, name, query string
			shared                 bool
		}{
			{"customers", "ann", "b", "q=1", false},
			{"customers", "ann", "a", "q=2", true},
			{"customers", "ann", "b", "q=3", false},
			{"customers", "bob", "a", "q=4", false},
			{"review", "ann", "a", "kind=veto", false},
		} {
			if err := save(v.page, v.who, v.name, v.query, v.shared); err != nil {
				t.Fatal(err)
			}
		}
		expect := func(page, who, want string) {
			t.Helper()
			if got := viewNames(t, w, page, who); got != want {
				t.Errorf("%s is offered on %s %q, want %q", who, page, got, want)
			}
		}
		expect("customers", "ann", "ann:a?q=2* ann:b?q=3")
		expect("customers", "bob", "bob:a?q=4 ann:a?q=2*")
		expect("review", "ann", "ann:a?kind=veto")
		expect("review", "bob", "")
		list, err := w.app.Views(ctx, "customers", "ann")
		if err != nil || len(list) != 2 {
			t.Fatalf("%v, %v", list, err)
		}
		drop := func(page, id, who string, others bool) {
			t.Helper()
			if err := w.app.DropView(ctx, page, id, who, others); err != nil {
				t.Fatal(err)
			}
		}
		drop("customers", list[0].ID, "bob", false) // another one's, shared
		drop("customers", list[1].ID, "bob", true)  // another one's own
		drop("review", list[0].ID, "ann", false)    // of another page
		expect("customers", "ann", "ann:a?q=2* ann:b?q=3")
		drop("customers", list[0].ID, "root", true)
		expect("customers", "ann", "ann:b?q=3")
		if err := save("customers", "ann", "b", "q=3", true); err != nil {
			t.Fatal(err)
		}
		if err := save("customers", "ann", "b", "q=3", false); err != nil {
			t.Fatal(err)
		}
		expect("customers", "bob", "bob:a?q=4")
		page, err := w.app.AuditPage(ctx, web.AuditQuery{What: "view", Limit: 10})
		var rows []string
		for _, r := range page.List {
			rows = append(rows, r.Who+" "+r.What)
		}
		if got, want := strings.Join(rows, ", "), "ann view.unshare, ann view.share, root view.unshare, ann view.share"; err != nil || got != want {
			t.Errorf("the trail says %q (%v), want %q", got, err, want)
		}
	})
}

func TestViewsHaveAnEnd(t *testing.T) {
	w := relatedWorld(t, "", 1, 0)
	keep := func(who string, shared bool) (n int, err error) {
		for ; n < 60; n++ {
			if err := w.app.SaveView(context.WithoutCancel(t.Context()), "review", web.View{Who: who, Name: fmt.Sprint(n), Query: "kind=veto", Shared: shared}); err != nil {
				return n, err
			}
		}
		return n, nil
	}
	if n, err := keep("ann", false); n != 50 || err == nil || !strings.Contains(err.Error(), "50 views are kept already: take one away first") {
		t.Errorf("%d views of one's own, then %v", n, err)
	}
	if n, err := keep("bob", true); n != 50 || err == nil {
		t.Errorf("%d views shared, then %v", n, err)
	}
	if n, err := keep("eve", true); n != 0 || err == nil || !strings.Contains(err.Error(), "50 views are shared already: take one away first") {
		t.Errorf("%d more shared, then %v", n, err)
	}
	if list, err := w.app.Views(t.Context(), "review", "ann"); err != nil || len(list) != 100 || list[0].Who != "ann" || list[50].Who != "bob" {
		t.Errorf("%d views offered (%v), want one's own 50 and 50 shared", len(list), err)
	}
}
