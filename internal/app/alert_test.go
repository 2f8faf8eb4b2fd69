package app

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"touchstone/internal/store"
)

// receiver is a webhook that keeps its own log and checks every signature.
type receiver struct {
	mu   sync.Mutex
	got  []string // "kind rule subject"
	ids  map[string]int
	fail int // answers so many with 503
	bad  []string
}

const hookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" // of the standard's own example

func (h *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	id, stamp := r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp")
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(hookSecret, "whsec_"))
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", id, stamp, body)
	if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); err != nil || r.Header.Get("webhook-signature") != want || id == "" {
		h.bad = append(h.bad, fmt.Sprintf("signature %q, want %q (%v)", r.Header.Get("webhook-signature"), want, err))
	}
	h.ids[id]++
	if h.fail > 0 {
		h.fail--
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	var m alertBody
	if err := json.Unmarshal(body, &m); err != nil {
		h.bad = append(h.bad, err.Error())
	}
	h.got = append(h.got, strings.TrimSpace(strings.TrimPrefix(m.Type, "touchstone.alert.")+" "+m.Data.Rule+" "+m.Data.Subject))
}

func (h *receiver) take() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	got := h.got
	h.got = nil
	return got
}

// alertWorld has a source that can be switched off and a webhook.
func alertWorld(t *testing.T, more string) (*world, *receiver) {
	t.Helper()
	h := &receiver{ids: map[string]int{}}
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	w, _, _ := acmes(t, "")
	w.yaml = "alert: {stale: 1h, held: 10m, quarantine: 0, waiting: 0, disk: \"0\", repeat: 4h, webhook: {url: \"" + srv.URL + "/T0/canary-path\", secret: " + hookSecret + "}" + more + "}\n" + w.yaml
	w.open()
	t.Cleanup(func() {
		if len(h.bad) > 0 {
			t.Errorf("the receiver refuses: %q", h.bad)
		}
	})
	return w, h
}

// round is one round of the watcher.
func (w *world) round() {
	w.Helper()
	r := w.app.read(w.Context())
	if r.err != nil {
		w.Fatal(r.err)
	}
	if err := w.app.alert(w.Context(), r); err != nil {
		w.Fatal(err)
	}
}

func TestOneMessageForEachIncident(t *testing.T) {
	t.Parallel()
	w, h := alertWorld(t, "")
	expect := func(when string, want ...string) {
		t.Helper()
		w.round()
		if got := h.take(); !slices.Equal(got, want) {
			t.Errorf("%s: told %q, want %q\n%s", when, got, want, w.log)
		}
	}
	expect("before the first pass")
	w.clean()
	expect("after a good pass")
	w.sleep(59 * time.Minute)
	expect("59 minutes later")
	w.sleep(10 * time.Minute)
	expect("an hour after a run was due", "began source_stale crm", "began source_stale desk")
	expect("a round later")
	w.restart("")
	expect("after a restart")
	w.sleep(3 * time.Hour)
	expect("3 hours later")
	w.sleep(time.Hour)
	expect("after the time of repetition", "lasts source_stale crm", "lasts source_stale desk")
	w.clean()
	expect("after a good pass again", "ended source_stale crm", "ended source_stale desk")
	expect("a round later")
	w.sleep(3 * time.Hour)
	expect("the next incident", "began source_stale crm", "began source_stale desk")
	for id, n := range h.ids {
		if n != 1 {
			t.Errorf("message %s came %d times, want each once", id, n)
		}
	}
	if strings.Contains(w.log.String(), "canary-path") || strings.Contains(w.log.String(), hookSecret[6:]) {
		t.Error("the log holds the webhook's address or secret")
	}
}

// TestAlertsAreTriedAgainWithinBounds: the receiver is away; the same message
// comes under the same id, with growing pauses.
func TestAlertsAreTriedAgainWithinBounds(t *testing.T) {
	t.Parallel()
	w, h := alertWorld(t, "")
	w.clean()
	w.sleep(2 * time.Hour)
	h.fail = 1000
	for range 240 { // an hour of rounds
		w.round()
		w.sleep(15 * time.Second)
	}
	h.mu.Lock()
	tries := 0
	for _, n := range h.ids {
		tries += n
	}
	kinds := len(h.ids)
	h.fail = 0
	h.mu.Unlock()
	if tries < 8 || tries > 16 || kinds != 2 {
		t.Errorf("%d tries of %d messages within an hour, want 4 to 8 of each of 2", tries, kinds)
	}
	if n := strings.Count(w.log.String(), "could not be sent"); n != 2 {
		t.Errorf("%d lines about messages that could not be sent, want one for each", n)
	}
	open, err := w.app.Store.OpenAlerts(t.Context())
	if err != nil || !slices.ContainsFunc(open, func(a store.Alert) bool { return a.Channel == channelHook && a.Error == "the webhook answered 503" }) {
		t.Errorf("open alerts %+v, %v; want why they could not be sent, without the address", open, err)
	}
	w.sleep(time.Hour)
	w.round()
	if got, want := h.take(), []string{"began source_stale crm", "began source_stale desk"}; !slices.Equal(got, want) {
		t.Errorf("when it is back: %q, want %q", got, want)
	}
}

func TestEveryRuleCallsAndEnds(t *testing.T) {
	t.Parallel()
	w, h := alertWorld(t, "")
	w.yaml = strings.NewReplacer("quarantine: 0", "quarantine: 1", "waiting: 0", "waiting: 1", `disk: "0"`, "disk: 1GiB", "stale: 1h", `stale: "0"`, "approve: auto", "approve: person").Replace(w.yaml)
	w.restart("")
	w.clean() // one write is held
	w.sleep(20 * time.Minute)
	r := w.app.read(t.Context())
	r.numbers.Quarantined, r.numbers.Backlog, r.free = 2, 2, 1<<30-1
	for i := range r.numbers.ByTarget {
		r.numbers.ByTarget[i].States[store.Pending] = 2
	}
	if err := w.app.alert(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	rules := []string{"queue_long resolver", "queue_long desk", "quarantine_full", "target_held desk", "disk_low"}
	check := func(kind string) {
		t.Helper()
		want := []string{}
		for _, r := range rules {
			want = append(want, kind+" "+r)
		}
		slices.Sort(want)
		got := h.take()
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("told %q, want %q", got, want)
		}
	}
	check("began")
	s, err := w.app.Status(t.Context())
	if err != nil || len(s.Alerts) != len(rules) || !s.NeedsPerson() {
		t.Errorf("status shows alerts %+v, %v; want all %d", s.Alerts, err, len(rules))
	}
	w.approve("desk")
	w.clean()
	r = w.app.read(t.Context())
	r.free = 1 << 31
	if err := w.app.alert(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	check("ended")
}

// smtp is a mail server that takes everything and keeps it.
func smtp(t *testing.T) (addr string, mails func() []string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var list []string
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				in := bufio.NewReader(c)
				say := func(s string) { _, _ = io.WriteString(c, s+"\r\n") }
				say("220 mail.example.com ESMTP")
				for {
					line, err := in.ReadString('\n')
					if err != nil {
						return
					}
					switch word := strings.ToUpper(strings.Fields(line + " x")[0]); word {
					case "EHLO", "HELO":
						say("250 mail.example.com")
					case "DATA":
						say("354 go on")
						var body strings.Builder
						for {
							l, err := in.ReadString('\n')
							if err != nil || l == ".\r\n" {
								break
							}
							body.WriteString(l)
						}
						mu.Lock()
						list = append(list, body.String())
						mu.Unlock()
						say("250 kept")
					case "QUIT":
						say("221 bye")
						return
					default:
						say("250 fine")
					}
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		all.Wait()
	})
	return l.Addr().String(), func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(list)
	}
}

func TestAlertsComeByMail(t *testing.T) {
	t.Parallel()
	addr, mails := smtp(t)
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	mail := ", mail: {host: " + host + ", port: " + port + ", tls: none, from: touchstone@example.com, to: [ops@example.com, 'Night <night@example.com>']}"
	w, _ := alertWorld(t, mail)
	w.clean()
	w.sleep(2 * time.Hour)
	w.round()
	w.round()
	got := mails()
	if len(got) != 2 {
		t.Fatalf("%d mails, want one for each source\n%s", len(got), w.log)
	}
	for _, want := range []string{"Subject: [touchstone] Alert: source_stale crm", "From: <touchstone@example.com>", "<ops@example.com>", "night@example.com", "source crm has had no good run since 2026-03-01T"} {
		if !strings.Contains(got[0], want) {
			t.Errorf("the mail lacks %q:\n%s", want, got[0])
		}
	}
	w.clean()
	w.round()
	if got := mails(); len(got) != 4 || !strings.Contains(got[2], "Subject: [touchstone] Over: source_stale") {
		t.Errorf("%d mails after the end, want two more that say so", len(got))
	}

	// A server without STARTTLS gets nothing unless the configuration says none.
	w.restart(strings.Replace(w.yaml, ", tls: none", "", 1))
	if err, ok := w.app.AlertTest(t.Context(), channelMail); !ok || err == nil {
		t.Errorf("a server without STARTTLS: %v, %v; want it refused", err, ok)
	}
	if got := mails(); len(got) != 4 {
		t.Errorf("%d mails, want none sent in plain", len(got))
	}
}
