package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestFullStoreIsToldOnceAndNothingIsLost lets the store reach its bound in the
// middle of the work, and raises it.
func TestFullStoreIsToldOnceAndNothingIsLost(t *testing.T) {
	t.Parallel()
	w, fill, room := boundedWorld(t)
	fullAndBack(w, fill, room)
}

// TestFullDiskIsToldOnceAndNothingIsLost fills a small disk; where this process
// may not mount one, the store's bound has to do.
func TestFullDiskIsToldOnceAndNothingIsLost(t *testing.T) {
	t.Parallel()
	w, fill, room := smallDisk(t)
	if w == nil {
		w, fill, room = boundedWorld(t)
	}
	fullAndBack(w, fill, room)
}

const fullRows = 1200

func firms(n int) string {
	var b strings.Builder
	b.WriteString("id,name,phone,website\n")
	for i := range n {
		fmt.Fprintf(&b, "l%d,%s Trading %d Ltd,+44 20 7946 %04d,firm%d.example\n", i, strings.Repeat(string(rune('A'+i%26)), 3), i, i%10000, i)
	}
	return b.String()
}

func boundedWorld(t *testing.T) (w *world, fill, room func()) {
	t.Helper()
	w, _ = tableWorld(t, firms(10))
	bound := func(size int64) func() {
		return func() {
			if err := w.app.Store.SetMaxSize(t.Context(), size); err != nil {
				t.Fatal(err)
			}
		}
	}
	return w, func() { bound(w.size() + 64<<10)() }, bound(0)
}

func (w *world) size() int64 {
	info, err := os.Stat(w.file())
	if err != nil {
		w.Fatal(err)
	}
	return info.Size()
}

// smallDisk mounts a disk in memory; nil where that is not allowed.
func smallDisk(t *testing.T) (w *world, fill, room func()) {
	t.Helper()
	w, _ = tableWorld(t, firms(10))
	dir := filepath.Join(w.dir, "data")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=24m,mode=0700"); err != nil {
		return nil, nil, nil
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	ballast := filepath.Join(dir, "ballast")
	fill = func() {
		f, err := os.Create(ballast)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for left := freeBytes(dir) - 64<<10; left > 0; left -= 64 << 10 {
			if _, err := f.Write(make([]byte, 64<<10)); errors.Is(err, syscall.ENOSPC) {
				return // the daemon took the rest
			} else if err != nil {
				t.Fatal(err)
			}
		}
	}
	return w, fill, func() {
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
	}
}

func fullAndBack(w *world, fill, room func()) {
	r := w.run()
	records := func() int {
		n, err := r.app.Store.Numbers(r.Context())
		if err != nil {
			r.Fatal(err)
		}
		return n.Records
	}
	r.until("the first rows", func() bool { return records() == 11 })
	fill()
	w.write("list.csv", firms(fullRows))
	part := func() Part { p, _ := r.app.life.parts(r.app.Config); return p["list"] }
	r.until("two failures", func() bool { return part().Failures >= 2 })
	p := r.probes()
	p.want("it is full", 200, "the disk or the store is full")
	if n := strings.Count(r.out.String(), `msg="source failed`); n > 2 { // of each of the two sources
		r.Errorf("%d lines about failing sources, want at most one for each\n%s", n, r.out)
	}
	if !strings.Contains(r.out.String(), "full") && !strings.Contains(r.out.String(), "no space") {
		r.Errorf("the log does not say that it is full:\n%s", r.out)
	}
	if got := records(); got < 11 || got >= fullRows {
		r.Errorf("%d records while it is full, want those of before and not all", got)
	}
	room()
	p.want("there is room again", 200, "")
	r.until("all rows", func() bool { return records() == fullRows+1 })
	r.until("all resolved", func() bool {
		n, err := r.app.Store.Numbers(r.Context())
		return err == nil && n.Backlog == 0 && n.Golden >= fullRows
	})
	v, err := r.app.Verify(r.Context(), nil)
	if err != nil || len(v.Differences) > 0 {
		r.Errorf("verify after that: %+v, %v; want no difference", v.Differences, err)
	}
	if damage, err := r.app.Store.Integrity(r.Context()); err != nil || len(damage) > 0 {
		r.Errorf("the store is damaged: %q, %v", damage, err)
	}
}
