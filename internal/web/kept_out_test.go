package web

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// TestProgramsAreToldInJSON: a program without the token is told so in the shape
// of all other errors, in both languages.
func TestProgramsAreToldInJSON(t *testing.T) {
	h := newHandler(newOffice(), func(o *Options) { o.Token = token })
	for _, tt := range []struct {
		name    string
		headers []string
	}{
		{"no token", nil},
		{"a wrong token", []string{"Authorization", "Bearer guess"}},
	} {
		w := post(t, h, "/api/match", nil, tt.headers...)
		var got struct{ Error apiError }
		err := json.Unmarshal(w.Body.Bytes(), &got)
		if want := "the token is missing or wrong"; err != nil || w.Code != http.StatusUnauthorized || !strings.Contains(got.Error.Text, want) || !strings.Contains(got.Error.TextZh, "令牌缺失或错误") {
			t.Errorf("%s: %d %s, want 401 and %q in both languages", tt.name, w.Code, w.Body, want)
		}
	}
	w := post(t, h, "/api/v1/decisions/merge", nil)
	var got struct {
		Status int
		Detail string
	}
	err := json.Unmarshal(w.Body.Bytes(), &got)
	if kind := w.Header().Get("Content-Type"); err != nil || w.Code != http.StatusUnauthorized || got.Status != w.Code || kind != "application/problem+json" || !strings.Contains(got.Detail, "missing or wrong") {
		t.Errorf("the described API: %d %s %s, want problem details", w.Code, kind, w.Body)
	}
}
