package app

import (
	"context"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
)

// controlBound is how long a command waits for the daemon's answer: a reload
// lets pages and writes that are under way end first.
const controlBound = 2 * time.Minute

// control serves the commands beside the daemon, on a loopback port of its own.
// Only who can read the lock file knows the token.
func (d *Daemon) control(ctx context.Context) error {
	a := d.App()
	if a.lock == nil {
		return nil
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for commands: %w", err)
	}
	var secret [20]byte
	a.opts.Env.Rand(secret[:])
	me := Running{Holder: a.me(), Control: l.Addr().String(), Token: hex.EncodeToString(secret[:]), Page: d.Page}
	if err := writeRunning(a.lock, me); err != nil {
		return errors.Join(fmt.Errorf("say where commands are taken: %w", err), l.Close())
	}
	srv := &http.Server{Handler: d.controlHandler(me.Token), ReadHeaderTimeout: 5 * time.Second, MaxHeaderBytes: 8 << 10}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve commands: %w", err)
		}
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		return srv.Close()
	})
	return g.Wait()
}

func (d *Daemon) controlHandler(token string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /reload", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), controlBound)
		defer cancel()
		result, err := d.Reload(ctx)
		if err != nil {
			result = Reloaded{At: d.App().opts.Env.Clock.Now(), Error: "the daemon did not come to it: " + err.Error()}
		}
		answer(w, result)
	})
	mux.HandleFunc("GET /live", func(w http.ResponseWriter, r *http.Request) {
		answer(w, d.live(r.Context()))
	})
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) {
		s, err := d.Status(r.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		answer(w, s)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte("Bearer "+token)) != 1 {
			http.Error(w, "the token in the lock file is needed", http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func (d *Daemon) live(ctx context.Context) Live {
	a := d.App()
	l := Live{Version: Version(), Ready: d.Ready(ctx), Reload: d.LastReload(), Unmapped: a.unmapped.list()}
	l.Sources, l.Targets = a.life.parts(a.Config)
	return l
}

// Status reads how the installation is doing, under the configuration in force.
func (d *Daemon) Status(ctx context.Context) (Status, error) {
	a := d.App()
	return a.status(ctx, func(ctx context.Context, s *Status) Live {
		if r, ok := readRunning(a.opts.Dir); ok {
			r.Token = ""
			s.Daemon = &r
		}
		live := d.live(ctx)
		s.take(live)
		return live
	})
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // a command that went away is its own affair
}

// Live is what only the running daemon knows.
type Live struct {
	Version  string          `json:"version"`
	Ready    []string        `json:"not_ready,omitempty"` // why it does not do its work now
	Sources  map[string]Part `json:"sources"`
	Targets  map[string]Part `json:"targets"`
	Unmapped []string        `json:"unmapped,omitempty"` // golden records that a target's mapping fails on
	Reload   *Reloaded       `json:"reload,omitempty"`
}

// Ask sends a command to the daemon that runs on this machine, and decodes its
// answer into v.
func Ask(ctx context.Context, r Running, method, path string, v any) error {
	ctx, cancel := context.WithTimeout(ctx, controlBound+5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, "http://"+r.Control+path, http.NoBody)
	if err != nil {
		return fmt.Errorf("ask the daemon: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+r.Token)
	resp, err := (&http.Client{Transport: &http.Transport{Proxy: nil, DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return fmt.Errorf("ask the daemon (pid %d): %w", r.PID, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 8<<20))
	if err != nil || resp.StatusCode != http.StatusOK {
		return errors.Join(fmt.Errorf("ask the daemon (pid %d): it answered %s", r.PID, resp.Status), err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("ask the daemon (pid %d): %w", r.PID, err)
	}
	return nil
}
