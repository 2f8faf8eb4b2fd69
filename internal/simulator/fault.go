package simulator

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Fault is one way in which real systems go wrong, switched on for the next
// Next requests it fits, or for every Every-th.
type Fault struct {
	Kind   FaultKind `json:"kind"`
	Next   int       `json:"next,omitempty"`   // the next N requests that fit
	Every  int       `json:"every,omitempty"`  // each Kth request that fits; 1 is all
	Object string    `json:"object,omitempty"` // only this kind of object
	On     string    `json:"on,omitempty"`     // "read" or "write" only; "" is what the kind fits

	Page       int    `json:"page,omitempty"`        // die_at_page: which page of a list
	Writes     int    `json:"writes,omitempty"`      // zombie: lands after so many other writes; 0 is 1
	RetryAfter string `json:"retry_after,omitempty"` // 429, 503: "" none, "date:5" an HTTP date in 5 s, else as it stands
	DelayMS    int    `json:"delay_ms,omitempty"`    // apply_then_timeout, slow: the wait
}

// FaultKind names a fault.
type FaultKind string

// The faults.
const (
	ApplyThenTimeout FaultKind = "apply_then_timeout" // applied; after the delay the connection is cut
	ApplyThen500     FaultKind = "apply_then_500"     // applied; the answer is 500
	TooMany          FaultKind = "429"                // nothing applied
	Unavailable      FaultKind = "503"                // nothing applied
	CutBody          FaultKind = "cut_body"           // done, but the answer ends in its middle
	Slow             FaultKind = "slow"               // done, after the delay
	ErrorBody        FaultKind = "200_with_error_body"
	DieAtPage        FaultKind = "die_at_page"        // that page of a list is 500
	Endless          FaultKind = "endless"            // a list gives the same next_cursor for ever
	EmptyPage        FaultKind = "empty_page"         // a page of a list has nothing on it, and is not the last
	Duplicate        FaultKind = "duplicate_delivery" // the write arrives twice
	Zombie           FaultKind = "zombie"             // connection cut at once; the write lands later
)

// fits says what kind of request each fault is about.
func (k FaultKind) fits() (read, write, known bool) {
	switch k {
	case ApplyThenTimeout, ApplyThen500, Duplicate, Zombie:
		return false, true, true
	case TooMany, Unavailable, CutBody, Slow, ErrorBody:
		return true, true, true
	case DieAtPage, Endless, EmptyPage:
		return true, false, true
	}
	return false, false, false
}

func (f Fault) check() error {
	read, write, known := f.Kind.fits()
	switch {
	case !known:
		return fmt.Errorf("fault %q: unknown kind", f.Kind)
	case (f.Next > 0) == (f.Every > 0) || f.Next < 0 || f.Every < 0:
		return fmt.Errorf("fault %s: want either next or every, above 0", f.Kind)
	case f.On != "" && f.On != "read" && f.On != "write":
		return fmt.Errorf("fault %s: on is %q, want read or write", f.Kind, f.On)
	case f.On == "read" && !read || f.On == "write" && !write:
		return fmt.Errorf("fault %s: does not fit a %s", f.Kind, f.On)
	case f.Kind == DieAtPage && f.Page < 1:
		return fmt.Errorf("fault %s: page is %d, want 1 or more", f.Kind, f.Page)
	case f.DelayMS < 0 || f.DelayMS > 600_000 || f.Writes < 0:
		return fmt.Errorf("fault %s: delay_ms and writes must not be negative, nor a delay above 10 minutes", f.Kind)
	}
	return nil
}

// fault is a Fault with its count of requests that fitted.
type fault struct {
	Fault
	seen int
}

func armed(list []Fault) []*fault {
	out := make([]*fault, 0, len(list))
	for _, f := range list {
		out = append(out, &fault{Fault: f})
	}
	return out
}

// strike counts the request at each fault it fits and gives the first that
// fires, in their order. The caller holds the lock.
func (s *System) strike(object string, write, list bool, page int) Fault {
	for _, f := range s.faults {
		read, writes, _ := f.Kind.fits()
		switch {
		case write && (!writes || f.On == "read"), !write && (!read || f.On == "write"),
			f.Object != "" && f.Object != object,
			(f.Kind == Endless || f.Kind == EmptyPage) && !list,
			f.Kind == DieAtPage && (!list || page != f.Page):
			continue
		}
		f.seen++
		if f.seen <= f.Next || f.Every > 0 && f.seen%f.Every == 0 {
			s.fired[string(f.Kind)]++
			return f.Fault
		}
	}
	return Fault{}
}

// refuse gives the answer of a fault that answers for itself and does nothing.
func (s *System) refuse(f Fault) (answer, bool) {
	switch f.Kind {
	case TooMany:
		a := refusal(http.StatusTooManyRequests, "rate_limited", "too many requests")
		a.retryAfter = s.retryAfter(f.RetryAfter)
		return a, true
	case Unavailable:
		a := refusal(http.StatusServiceUnavailable, "unavailable", "try again later")
		a.retryAfter = s.retryAfter(f.RetryAfter)
		return a, true
	case ErrorBody:
		return refusal(http.StatusOK, "internal", "the request was not carried out"), true
	case DieAtPage:
		return refusal(http.StatusInternalServerError, "internal", "the page could not be read"), true
	}
	return answer{}, false
}

// retryAfter renders the header: seconds as they stand, or a date from the real
// clock, as the Date header is.
func (s *System) retryAfter(spec string) string {
	after, isDate := strings.CutPrefix(spec, "date:")
	if !isDate {
		return spec
	}
	n, err := strconv.Atoi(after)
	if err != nil {
		return spec
	}
	return s.clock.Now().Add(time.Duration(n) * time.Second).Format(http.TimeFormat)
}

// zombie is a write that is still on its way though its sender has given up.
type zombie struct {
	request request
	arrive  func() // a call of a vendor's API; nil for request
	due     int    // applied writes after which it lands
}

// land lets the zombies arrive whose time has come; all of them when told. They
// meet the checks of any write, as things are by then. The caller holds the lock.
func (s *System) land(all bool) int {
	landed := 0
	for i := 0; i < len(s.late); {
		z := s.late[i]
		if !all && s.n < z.due {
			i++
			continue
		}
		s.late = append(s.late[:i], s.late[i+1:]...)
		if z.arrive != nil {
			z.arrive()
		} else {
			z.request.fault = string(Zombie)
			s.write(z.request)
		}
		landed++
		i = 0 // one landing can make another due
	}
	if err := s.sync(); err != nil {
		return 0 // the system takes no more writes, and says so to the next one
	}
	return landed
}
