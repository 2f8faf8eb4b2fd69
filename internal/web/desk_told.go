package web

import (
	"net/http"
	"net/url"
	"time"
)

const toldCookie = "touchstone_told"

// aheadHeader marks a request of the script for a page that is not shown yet.
const aheadHeader = "Touchstone-Ahead"

// told is what the last answer did: said on the next page, with what takes it
// back. It shows no text but ours.
type told struct {
	Said string   // same, apart, unsure, skip, relate, pinned, proposed, parting, undo
	Pair string   // to come back to
	Undo []string // decisions; of a skip none
}

// Undoable says whether there is something to take back.
func (t told) Undoable() bool { return len(t.Undo) > 0 || t.Said == saySkip }

func (s *server) keepTold(w http.ResponseWriter, r *http.Request, t told) {
	v := url.Values{"said": {t.Said}, "pair": {t.Pair}, "undo": t.Undo}
	keepCookie(w, r, toldCookie, v.Encode(), "/review", int(doneLife/time.Second), http.SameSiteStrictMode)
}

// takeTold reads what the last answer did, once. A request ahead of its time
// leaves it for the page that is shown.
func (s *server) takeTold(w http.ResponseWriter, r *http.Request) told {
	c, err := r.Cookie(toldCookie)
	if err != nil || r.Header.Get(aheadHeader) != "" {
		return told{}
	}
	keepCookie(w, r, toldCookie, "", "/review", -1, http.SameSiteStrictMode)
	v, err := url.ParseQuery(c.Value)
	if _, ours := languages()[0].table["told."+v.Get("said")]; err != nil || !ours {
		return told{}
	}
	return told{v.Get("said"), v.Get("pair"), v["undo"]}
}
