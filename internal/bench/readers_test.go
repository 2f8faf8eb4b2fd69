package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"touchstone/internal/api"
	"touchstone/internal/auth"
	"touchstone/internal/env"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

// BenchmarkReaders has ten readers ask the API's ten most used addresses, ten times
// a second each, while the resolver works through batches of 10,000 records that
// come again in another spelling, and then while nothing else is done: a store of
// TOUCHSTONE_BENCH_RECORDS companies (20,000).
//
//	go test -v -run xxx -bench Readers -benchtime 1x -timeout 1h ./internal/bench
func BenchmarkReaders(b *testing.B) {
	n := recordsWanted(20_000)
	eachEngine(b, func(b *testing.B, engine string) {
		for range b.N {
			readers(b, openWorld(b, engine, n), n)
		}
	})
}

// readersLast is how long each part lasts.
const readersLast = 25 * time.Second

func readers(b *testing.B, w *world, n int) {
	ctx := b.Context()
	mux := http.NewServeMux()
	api.Mount(w.App, api.Options{Env: env.Real(), Log: slog.New(slog.DiscardHandler)}, func(pattern string, _ auth.Permission, _ auth.Narrow, h http.HandlerFunc) {
		mux.HandleFunc(pattern, func(rw http.ResponseWriter, r *http.Request) {
			h(rw, r.WithContext(auth.With(r.Context(), auth.Actor{ID: r.Header.Get("X-Reader"), Role: auth.Admin})))
		})
	})
	list, err := w.Customers(ctx, web.CustomerQuery{Limit: 100})
	if err != nil {
		b.Fatal(err)
	}
	for _, working := range []bool{true, false} {
		took := map[string][]float64{} // ms
		var mu sync.Mutex
		ctx, end := context.WithTimeout(ctx, readersLast)
		var all sync.WaitGroup
		b.Cleanup(func() { // also where the resolver fails
			end()
			all.Wait()
		})
		for reader := range 10 {
			all.Go(func() {
				for i := reader; ctx.Err() == nil; i++ {
					id := list.List[(i*7+reader)%len(list.List)].ID
					path := readPaths[i%len(readPaths)]
					r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, api.Path+strings.ReplaceAll(path, "{id}", id), nil)
					r.Header.Set("X-Reader", fmt.Sprint("reader", reader))
					rw := httptest.NewRecorder()
					began := time.Now()
					mux.ServeHTTP(rw, r)
					d := time.Since(began)
					if rw.Code != http.StatusOK {
						b.Errorf("%s: %d %.200s", path, rw.Code, rw.Body)
						return
					}
					mu.Lock()
					took[path] = append(took[path], ms(d))
					mu.Unlock()
					time.Sleep(max(100*time.Millisecond-d, 0))
				}
			})
		}
		rounds, cpu := 0, 0.
		if working {
			before, _ := usage(b)
			for ctx.Err() == nil {
				w.write(b, "desk.csv", w.copies(b, w.records(b)-n, 10_000))
				if err := errors.Join(w.PullAll(store.Patient(ctx)), w.Resolve(store.Patient(ctx), func(string, string, int) {})); err != nil && ctx.Err() == nil {
					b.Fatal(err)
				}
				rounds++
			}
			after, _ := usage(b)
			cpu = after - before
		}
		all.Wait()
		var text strings.Builder
		var whole []float64
		for _, path := range readPaths {
			list := took[path]
			whole = append(whole, list...)
			fmt.Fprintf(&text, "| `%s` | %s |\n", path, tail(list))
		}
		fmt.Fprintf(&text, "| all, %d | %s |\n", len(whole), tail(whole))
		b.Logf("%s, the resolver at work: %v (%d rounds, %.0f s of CPU); median, p99, most in ms\n%s", w.Store.Engine(), working, rounds, cpu, &text)
	}
}

// readPaths are what is asked for most.
var readPaths = []string{"/customers?q=shanghai", "/customers/{id}", "/customers/{id}/history", "/customers?entity=company", "/reviews", "/reviews/stats", "/status", "/changes", "/writes", "/decisions"}

func tail(list []float64) string {
	if len(list) == 0 {
		return "– | – | –"
	}
	return fmt.Sprintf("%.0f | %.0f | %.0f", at(list, 0.5), at(list, 0.99), at(list, 1))
}
