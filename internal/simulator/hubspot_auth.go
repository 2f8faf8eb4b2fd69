package simulator

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// The OAuth application that the HubSpot profile knows.
const (
	HubSpotClientID     = "00000000-0000-4000-8000-0000000c11e0"
	HubSpotClientSecret = "hubspot-client-secret"   //nolint:gosec // opens a simulator only
	HubSpotRefreshToken = "hubspot-refresh-token-0" //nolint:gosec // as above
)

// tokensName is the file with the number of the last access token: a client
// keeps its rotated refresh token over our restart, so we must too.
const tokensName = "tokens.json"

// allows takes the private-app token, or an access token that has not expired.
func (h hubspot) allows(c *call) (answer, bool) {
	given, ok := strings.CutPrefix(c.r.Header.Get("Authorization"), "Bearer ")
	if !ok || given == "" {
		return h.hsError(c, http.StatusUnauthorized, "INVALID_AUTHENTICATION", "Authentication credentials not found. This API supports OAuth 2.0 authentication.", nil), false
	}
	if c.s.profile.Token != "" && given == c.s.profile.Token {
		return answer{}, true
	}
	until, ok := accessUntil(given)
	if !ok {
		return h.hsError(c, http.StatusUnauthorized, "INVALID_AUTHENTICATION", "Authentication credentials not found. This API supports OAuth 2.0 authentication.", nil), false
	}
	if ago := c.s.clock.Now().Sub(until); ago >= 0 {
		return h.hsError(c, http.StatusUnauthorized, "EXPIRED_AUTHENTICATION",
			fmt.Sprintf("The OAuth token used to make this call expired %d second(s) ago.", int(ago.Seconds())),
			map[string]any{"context": map[string]any{"expire time": []string{hsTime(until)}}}), false
	}
	return answer{}, true
}

// accessToken makes a token that carries its own end, so that none has to be
// kept: number, end in ms, and a check of both.
func accessToken(n int, until time.Time) string {
	head := fmt.Sprintf("hs-%d-%d", n, until.UnixMilli())
	sum := sha256.Sum256([]byte(head + HubSpotClientSecret))
	return head + "-" + hex.EncodeToString(sum[:8])
}

func accessUntil(token string) (time.Time, bool) {
	parts := strings.Split(token, "-")
	if len(parts) != 4 {
		return time.Time{}, false
	}
	n, err1 := strconv.Atoi(parts[1])
	ms, err2 := strconv.ParseInt(parts[2], 10, 64)
	until := time.UnixMilli(ms)
	return until, err1 == nil && err2 == nil && token == accessToken(n, until)
}

func refreshToken(n int) string {
	if n == 0 {
		return HubSpotRefreshToken
	}
	sum := sha256.Sum256([]byte("refresh " + strconv.Itoa(n) + HubSpotClientSecret))
	return "hubspot-refresh-" + hex.EncodeToString(sum[:12])
}

// tokens is what tokens.json holds.
type tokens struct {
	Issued  int `json:"issued"`
	Refresh int `json:"refresh"` // number of the refresh token that is good
}

// token answers the OAuth token endpoint: refresh_token grants only.
func (h hubspot) token(c *call) answer {
	form, err := url.ParseQuery(string(c.body))
	if err != nil || form.Get("grant_type") != "refresh_token" {
		return jsonAnswer(http.StatusBadRequest, map[string]any{"status": "BAD_GRANT_TYPE", "message": "missing or unknown grant type"})
	}
	if form.Get("client_id") != HubSpotClientID || form.Get("client_secret") != HubSpotClientSecret {
		return jsonAnswer(http.StatusBadRequest, map[string]any{"status": "BAD_CLIENT_ID", "message": "missing or unknown client id or secret"})
	}
	t, err := c.s.readTokens()
	if err != nil {
		return h.says(c, trouble{status: http.StatusInternalServerError})
	}
	if form.Get("refresh_token") != refreshToken(t.Refresh) {
		return jsonAnswer(http.StatusBadRequest, map[string]any{"status": "BAD_REFRESH_TOKEN", "message": "missing or invalid refresh token", "correlationId": c.s.callID()})
	}
	t.Issued++
	if c.s.settings.RotateRefresh {
		t.Refresh++
	}
	if err := c.s.writeTokens(t); err != nil {
		return h.says(c, trouble{status: http.StatusInternalServerError})
	}
	life := c.s.settings.TokenSeconds
	if life == 0 {
		life = 1800
	}
	until := c.s.clock.Now().Add(time.Duration(life) * time.Second)
	return jsonAnswer(http.StatusOK, map[string]any{
		"token_type": "bearer", "access_token": accessToken(t.Issued, until), "refresh_token": refreshToken(t.Refresh), "expires_in": life,
	})
}

func (s *System) readTokens() (t tokens, err error) {
	b, err := os.ReadFile(filepath.Join(s.dir, tokensName))
	if errors.Is(err, fs.ErrNotExist) {
		return t, nil
	}
	if err != nil {
		return t, fmt.Errorf("read tokens: %w", err)
	}
	if err := json.Unmarshal(b, &t); err != nil {
		return t, fmt.Errorf("read tokens: %w", err)
	}
	return t, nil
}

// writeTokens is durable before the answer with the new token leaves.
func (s *System) writeTokens(t tokens) error {
	b, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("write tokens: %w", err)
	}
	path := filepath.Join(s.dir, tokensName)
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write tokens: %w", err)
	}
	_, err = f.Write(b)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write tokens: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("write tokens: %w", err)
	}
	return nil
}
