package simulator

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// childDir names the state folder to the test binary run as a system of its own.
const childDir = "SIMULATOR_CHILD_DIR"

// child serves a CRM until it is killed.
func child(dir string) int {
	s, err := Open(dir, CRM(), smallSeed())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(l.Addr())
	srv := &http.Server{Handler: s.Handler(), ReadHeaderTimeout: time.Second}
	fmt.Fprintln(os.Stderr, srv.Serve(l))
	return 1
}

// TestKillLosesNoAnsweredWrite kills a running system again and again in the
// middle of concurrent writes: what was answered is in the log, and nothing is
// there twice.
func TestKillLosesNoAnsweredWrite(t *testing.T) {
	dir := t.TempDir()
	var answered []string
	for round := range 4 {
		answered = append(answered, killRound(t, dir, round)...)
	}
	list, err := ReadApplied(dir)
	if err != nil {
		t.Fatal(err)
	}
	applied := map[string]bool{}
	for i, e := range list {
		if want := fmt.Sprintf("c%d", 1005+i); e.N != i+1 || e.ID != want || applied[e.ExternalID] {
			t.Errorf("entry %d is n %d id %s key %s, want n %d id %s and a key of its own", i, e.N, e.ID, e.ExternalID, i+1, want)
		}
		applied[e.ExternalID] = true
	}
	for _, key := range answered {
		if !applied[key] {
			t.Errorf("%s was answered but is not in the log", key)
		}
	}
	if len(answered) < 40 || len(list) > len(answered)+4*killWorkers {
		t.Errorf("%d answered, %d applied; want 40 or more answered, and at most one unanswered a worker and round", len(answered), len(list))
	}
}

const killWorkers = 4

// killRound writes to a new process until it is killed and gives the keys whose
// creation was answered.
func killRound(t *testing.T, dir string, round int) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0]) //nolint:gosec // this very binary
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the child did not start: %v", errors.Join(err, cmd.Wait()))
	}
	g := &rig{t: t, sys: &System{profile: CRM()}, srv: &httptest.Server{URL: "http://" + strings.TrimSpace(addr)}}
	client := &http.Client{Transport: &http.Transport{}, Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	keys := make([][]string, killWorkers)
	enough := make(chan struct{}, 1)
	var wg sync.WaitGroup
	for w := range killWorkers {
		wg.Go(func() {
			for i := 0; ; i++ {
				key := fmt.Sprintf("r%d-w%d-%d", round, w, i)
				if !g.create(client, key) {
					return
				}
				keys[w] = append(keys[w], key)
				if i == 10 && w == 0 {
					enough <- struct{}{}
				}
			}
		})
	}
	select {
	case <-enough:
	case <-time.After(20 * time.Second):
		t.Error("the child answers too slowly")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	if err := cmd.Wait(); err == nil {
		t.Error("the child ended by itself")
	}
	return slices.Concat(keys...)
}

// create makes one company and says whether it was answered with success.
func (g *rig) create(client *http.Client, key string) bool {
	req, err := http.NewRequestWithContext(g.t.Context(), http.MethodPost, g.srv.URL+"/companies", strings.NewReader(`{"name":"n","external_id":"`+key+`"}`))
	if err != nil {
		g.t.Error(err)
		return false
	}
	req.Header.Set("Authorization", "Bearer "+g.sys.profile.Token)
	resp, err := client.Do(req)
	if err != nil {
		return false
	}
	if err := resp.Body.Close(); err != nil {
		g.t.Error(err)
	}
	return resp.StatusCode == http.StatusCreated
}
