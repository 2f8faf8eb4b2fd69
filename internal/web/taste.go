package web

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"touchstone/internal/auth"
)

// Taste is how somebody wants the pages: kept with the account, and used unless
// the address or the browser's own choice says otherwise. "" is what the browser
// asks for.
type Taste struct {
	Lang  string `json:"lang,omitempty"`  // en, zh-Hans, zh-Hant
	Theme string `json:"theme,omitempty"` // light, dark
	Zone  string `json:"zone,omitempty"`  // of the IANA time zone database; "" for UTC
}

// ErrZone says that there is no such time zone.
var ErrZone = errors.New("there is no such time zone")

// Check says what there is none of.
func (t Taste) Check() error {
	if t.Zone != "" {
		if _, ok := zoneOf(t.Zone); !ok {
			return ErrZone
		}
	}
	if t.Lang != "" && !isLanguage(t.Lang) || t.Theme != "" && t.Theme != "light" && t.Theme != "dark" {
		return errors.New("there is no such language or theme")
	}
	return nil
}

// zoneOf finds a time zone; the machine's own is none that a page may depend on.
func zoneOf(name string) (*time.Location, bool) {
	if name == "" || name == "Local" {
		return time.UTC, name == ""
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC, false
	}
	return zone, true
}

// zones are offered; any other of the database can be typed.
func zones() []string {
	return []string{
		"UTC", "Asia/Shanghai", "Asia/Hong_Kong", "Asia/Taipei", "Asia/Singapore", "Asia/Tokyo", "Asia/Seoul", "Asia/Bangkok", "Asia/Jakarta", "Asia/Kolkata", "Asia/Dubai",
		"Europe/London", "Europe/Berlin", "Europe/Paris", "Europe/Madrid", "Europe/Zurich", "Europe/Athens", "Europe/Istanbul", "Europe/Kyiv",
		"Africa/Lagos", "Africa/Nairobi", "Africa/Johannesburg", "America/Sao_Paulo", "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles",
		"Australia/Perth", "Australia/Sydney", "Pacific/Auckland",
	}
}

// Zones are offered by the form.
func (mePage) Zones() []string { return zones() }

// tasteOf is how the reader wants the pages.
func tasteOf(ctx context.Context) Taste { return visitOf(ctx).Taste }

// now is the time by the reader's clock.
func (s *server) now(r *http.Request) time.Time {
	zone, _ := zoneOf(tasteOf(r.Context()).Zone)
	return s.opts.Env.Clock.Now().In(zone)
}

// setTaste keeps how the reader wants the pages. What this browser was told
// before gives way, or nothing would be seen of it.
func (s *server) setTaste(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	v, ok := s.mine(w, r)
	if !ok {
		return
	}
	t := Taste{r.PostForm.Get("lang"), r.PostForm.Get("theme"), strings.TrimSpace(r.PostForm.Get("zone"))}
	if t.Zone == "UTC" {
		t.Zone = ""
	}
	s.act(w, r, "/me", func(ctx context.Context, _ By) (Done, error) {
		err := t.Check()
		if errors.Is(err, ErrZone) {
			return Done{}, &Problem{Field: "zone", Text: wordsOf(r).T("taste.zone.none")}
		}
		if err == nil {
			err = s.opts.People.SetTaste(ctx, v, t)
		}
		if err != nil {
			return Done{}, err
		}
		for _, name := range []string{"lang", "theme"} {
			keepCookie(w, r, "touchstone_"+name, "", "/", -1, http.SameSiteLaxMode)
		}
		return Done{Key: "done.taste"}, nil
	}, func(problem Problem) { s.meAgain(w, r, v, "me.html", "taste", problem) })
}

// Taste is what the form shows: what was typed, or what is kept.
func (p mePage) Taste() Taste {
	if p.Form == "taste" {
		return Taste{p.Typed["lang"], p.Typed["theme"], p.Typed["zone"]}
	}
	return p.kept
}

// Themes are those that can be chosen.
func (mePage) Themes() []string { return []string{"light", "dark"} }

func (s *server) tasteRoutes(m *routes) {
	m.handle("POST /me/taste", auth.Self, auth.NoValues, s.setTaste)
}
