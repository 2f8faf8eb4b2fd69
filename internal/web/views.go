package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"touchstone/internal/auth"
)

const (
	maxViewName = 60
	maxView     = 2000 // bytes of a question that is kept
	viewKeys    = 9    // views that a digit opens
)

// viewKind is a page whose lists can be kept by name.
type viewKind struct {
	page string                      // as its views are kept, and the first part of their address
	at   string                      // where its list stands
	keep func(url.Values) url.Values // the part of a question that a view keeps
	text string                      // the part that is a search of one's own, and not shared
}

func reviewViews() viewKind {
	return viewKind{"review", "/review/list", func(q url.Values) url.Values { return filtersOf(reviewQuery(q, "")) }, "text"}
}

func customerViews() viewKind {
	return viewKind{"customers", "/customers", only("q", "entity", "source", "several", "since"), "q"}
}

func quarantineViews() viewKind {
	return viewKind{"quarantine", "/quarantine", only("state", "source", "rule", "fault", "age"), ""}
}

// only keeps these values of a question, cut to a length.
func only(names ...string) func(url.Values) url.Values {
	return func(q url.Values) url.Values {
		keep := url.Values{}
		for _, name := range names {
			if v := q.Get(name); v != "" {
				keep.Set(name, cutText(v, 200))
			}
		}
		return keep
	}
}

// viewTab is a view as its page offers it.
type viewTab struct {
	View
	Here, Mine, Drop bool
	Key              string // that opens it; "" for none
}

// viewsPart is what a page shows of its views: those that there are, and a form
// that keeps the list on the page as one more.
type viewsPart struct {
	At, Post string
	List     []viewTab
	Query    string // of the list on the page; "" is all of it, which is no view
	MayShare bool
	viewForm
}

// viewForm is what was typed to keep a view, and why that could not be.
type viewForm struct {
	Typed, Problem string
	Share          bool
}

// viewsPart reads what a page shows of its views.
func (s *server) viewsPart(ctx context.Context, k viewKind, asked url.Values, form viewForm) (viewsPart, error) {
	me := auth.From(ctx)
	p := viewsPart{At: k.at, Post: "/" + k.page + "/views", Query: k.keep(asked).Encode(), MayShare: me.May(auth.Decide), viewForm: form}
	list, err := s.data.Views(ctx, k.page, me.ID)
	for _, v := range list {
		if me.Narrowed() && v.Who != me.ID {
			continue // it may name what the reader does not reach
		}
		tab := viewTab{View: v, Here: v.Query == p.Query, Mine: v.Who == me.ID}
		tab.Drop = tab.Mine || me.May(auth.Accounts)
		if n := len(p.List); n < viewKeys {
			tab.Key = strconv.Itoa(n + 1)
		}
		p.List = append(p.List, tab)
	}
	return p, err
}

// saveView keeps the list of a page; again shows the page with what was typed when
// that cannot be.
func (s *server) saveView(k viewKind, again func(http.ResponseWriter, *http.Request, int, viewForm)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !s.form(w, r) {
			return
		}
		asked, err := url.ParseQuery(r.PostForm.Get("query"))
		if err != nil {
			asked = url.Values{}
		}
		keep := k.keep(asked)
		r.URL.RawQuery = keep.Encode()
		in := wordsOf(r)
		form := viewForm{Typed: cutText(strings.Join(strings.Fields(r.PostForm.Get("name")), " "), maxViewName), Share: r.PostForm.Get("shared") != ""}
		s.act(w, r, addressOf(k.at, keep.Encode()), func(ctx context.Context, by By) (Done, error) {
			v := View{Who: by.Who, Name: form.Typed, Query: keep.Encode(), Shared: form.Share && auth.From(ctx).May(auth.Decide)}
			switch {
			case v.Name == "":
				return Done{}, &Problem{Field: "name", Text: in.T("views.unnamed")}
			case v.Query == "" || len(v.Query) > maxView:
				return Done{}, &Problem{Field: "query", Text: in.T("views.unasked")}
			case v.Shared && k.text != "" && keep.Get(k.text) != "":
				return Done{}, &Problem{Field: "shared", Text: in.T("views.private")}
			case v.Shared:
				return Done{Key: "views.saved.shared"}, s.data.SaveView(ctx, k.page, v)
			}
			return Done{Key: "views.saved"}, s.data.SaveView(ctx, k.page, v)
		}, func(p Problem) {
			form.Problem = p.Text
			again(w, r, http.StatusUnprocessableEntity, form)
		})
	}
}

// dropView forgets a view: one's own, and for who keeps the accounts also one that
// somebody else shares.
func (s *server) dropView(k viewKind) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.act(w, r, k.at, func(ctx context.Context, by By) (Done, error) {
			return Done{Key: "views.dropped"}, s.data.DropView(ctx, k.page, r.PathValue("id"), by.Who, auth.From(ctx).May(auth.Accounts))
		}, nil)
	}
}
