package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"time"

	"touchstone/internal/auth"
)

const (
	keyHeader  = "Idempotency-Key"
	keyPattern = "^[!-~]{8,200}$"
	// keyLife is how long a key is remembered, keyStuck how long a request that
	// never ended holds its key.
	keyLife  = 24 * time.Hour
	keyStuck = 2 * time.Minute
	// maxKept bounds an answer that is kept, in bytes.
	maxKept = 256 << 10
)

// askedBy is who asks, and what they see now: an answer is given again to who
// would get the same.
func askedBy(r *http.Request) string {
	a := auth.From(r.Context())
	if !a.Narrowed() {
		return a.ID
	}
	return fmt.Sprintf("%s %q %q", a.ID, a.Scopes, a.Masks)
}

// idempotent does a request with a key once, as the IETF draft on the
// Idempotency-Key header says: the same key and request give the first answer
// again, another request with the key is refused, and one that is under way is
// told so. An answer that says "try again" frees the key.
func (x *api) idempotent(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		given := r.Header.Values(keyHeader)
		if len(given) == 0 {
			next(w, r)
			return
		}
		if len(given) > 1 || !visible(given[0]) {
			writeProblem(w, r, &Problem{Status: http.StatusBadRequest, Detail: keyHeader + " must stand once and have 8 to 200 visible ASCII characters"})
			return
		}
		body, problem := x.readAll(w, r)
		if problem != nil {
			writeProblem(w, r, problem)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		key, asked := hashed(askedBy(r), given[0]), sha256.Sum256([]byte(r.Method+" "+r.URL.RequestURI()+"\n"+string(body)))
		call, taken, err := x.app.Store.BeginCall(r.Context(), key, asked[:], keyLife, keyStuck)
		switch {
		case err != nil:
			writeProblem(w, r, x.broken(r.Context(), "idempotency key", err))
			return
		case taken && !call.Same:
			writeProblem(w, r, &Problem{Status: http.StatusUnprocessableEntity, Detail: "this " + keyHeader + " was used for another request"})
			return
		case taken && call.Status == 0:
			w.Header().Set("Retry-After", "1")
			writeProblem(w, r, &Problem{Status: http.StatusConflict, Detail: "the first request with this " + keyHeader + " is still under way"})
			return
		case taken:
			w.Header().Set("Idempotency-Replayed", "true")
			w.Header().Set("Content-Type", kindOf(call.Status))
			w.WriteHeader(call.Status)
			_, _ = w.Write(call.Body) //nolint:gosec // JSON that we made, of a type that no browser renders
			return
		}
		k := &keeper{ResponseWriter: w, status: http.StatusOK}
		// What was begun is kept even when the client goes away.
		after := context.WithoutCancel(r.Context())
		next(k, r)
		if k.status >= http.StatusInternalServerError || k.status == http.StatusTooManyRequests || k.cut {
			err = x.app.Store.DropCall(after, key)
		} else {
			err = x.app.Store.EndCall(after, key, k.status, k.body.Bytes())
		}
		if err != nil {
			x.opts.Log.ErrorContext(after, "an answer is not kept for its idempotency key", "err", err)
		}
	}
}

func kindOf(status int) string {
	if status >= http.StatusBadRequest {
		return problemType
	}
	return "application/json"
}

func hashed(who, key string) string {
	sum := sha256.Sum256([]byte(who + "\x00" + key))
	return hex.EncodeToString(sum[:])
}

func visible(key string) bool {
	if len(key) < 8 || len(key) > 200 {
		return false
	}
	for _, c := range []byte(key) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return true
}

// keeper keeps a copy of an answer.
type keeper struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
	cut    bool // larger than what is kept
}

func (k *keeper) WriteHeader(status int) {
	k.status = status
	k.ResponseWriter.WriteHeader(status)
}

func (k *keeper) Write(p []byte) (int, error) {
	if k.body.Len()+len(p) > maxKept {
		k.cut = true
	} else {
		k.body.Write(p)
	}
	return k.ResponseWriter.Write(p)
}

// Unwrap gives what is behind it to http.ResponseController.
func (k *keeper) Unwrap() http.ResponseWriter { return k.ResponseWriter }
