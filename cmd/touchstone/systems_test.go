package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestSimulateServesTheNamedSystems asks each of them for its first page.
func TestSimulateServesTheNamedSystems(t *testing.T) {
	s, err := openSystems(t.TempDir(), systemNames(), 20)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	base, serve, err := s.listen(ctx, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-done, s.Close()); err != nil {
			t.Error(err)
		}
	})
	client := &http.Client{Timeout: 10 * time.Second}
	for _, tt := range []struct{ path, token, want string }{
		{"/crm/companies?limit=1", "demo-crm", `"items"`},
		{"/desk/companies?limit=1", "demo-desk", `"items"`},
		{"/hubspot/crm/v3/objects/contacts?limit=1", "pat-eu1-00000000-0000-4000-8000-000000000001", base + "/hubspot/crm/v3/objects/contacts?after=501001"},
		{"/zendesk/api/v2/incremental/users/cursor.json?start_time=0&per_page=1", "zendesk-api-token", base + "/zendesk/api/v2/incremental/users/cursor.json"},
		{"/gleif/api/v1/lei-records?page[size]=1", "", base + "/gleif/api/v1/lei-records?page%5Bnumber%5D=2"},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+tt.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+tt.token)
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if text := strings.ReplaceAll(string(body), `\u0026`, "&"); err != nil || res.StatusCode != http.StatusOK || !strings.Contains(text, tt.want) {
			t.Errorf("GET %s is %d %v, want 200 with %s: %s", tt.path, res.StatusCode, err, tt.want, text)
		}
	}
}

func TestSimulateRefusesSystemsItDoesNotHave(t *testing.T) {
	for _, tt := range []struct {
		names     []string
		customers int
		want      string
	}{
		{[]string{"crm", "sap"}, 0, `there is no system "sap"`},
		{[]string{"crm", "crm"}, 0, `names "crm" twice`},
		{nil, 0, "names none"},
		{[]string{"gleif"}, -1, "--customers is -1"},
	} {
		_, err := openSystems(t.TempDir(), tt.names, tt.customers)
		var usage usageError
		if err == nil || !errors.As(err, &usage) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("openSystems(%v, %d) = %v, want a usage error with %q", tt.names, tt.customers, fmt.Sprint(err), tt.want)
		}
	}
}
