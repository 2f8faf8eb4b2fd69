package storetest

import (
	"bytes"
	"time"
)

func keeping() []subtest { return []subtest{{"Kept", kept}} }

// kept: what connectors are given to keep comes back as it was, sealed in
// between, and one at a time works on it.
func kept(b *Bench) {
	ctx := b.Context()
	load := func(want string) {
		b.Helper()
		got, err := b.DB.Kept().Load(ctx, "oauth2 crm")
		if err != nil || string(got) != want {
			b.Fatalf("Load gives %q, %v, want %q", got, err, want)
		}
	}
	load("")
	release, ok, err := b.DB.Kept().Claim(ctx, "oauth2 crm", time.Minute)
	if err != nil || !ok {
		b.Fatalf("the first claim: %v, %v", ok, err)
	}
	load("") // claimed, and nothing kept yet
	if _, ok, err := b.DB.Kept().Claim(ctx, "oauth2 crm", time.Minute); err != nil || ok {
		b.Fatalf("a second claim beside the first: %v, %v, want none", ok, err)
	}
	if _, ok, err := b.DB.Kept().Claim(ctx, "oauth2 desk", time.Minute); err != nil || !ok {
		b.Fatalf("a claim on another name: %v, %v", ok, err)
	}
	b.Must(b.DB.Kept().Save(ctx, "oauth2 crm", []byte(`{"refresh":"r-1"}`)))
	b.Must(b.DB.Kept().Save(ctx, "oauth2 crm", []byte(`{"refresh":"r-2"}`)))
	load(`{"refresh":"r-2"}`)
	if _, ok, err := b.DB.Kept().Claim(ctx, "oauth2 crm", time.Minute); err != nil || ok {
		b.Fatalf("a claim after Save: %v, %v, want none: saving does not release", ok, err)
	}
	b.Must(release(ctx))
	late, ok, err := b.DB.Kept().Claim(ctx, "oauth2 crm", time.Minute)
	if err != nil || !ok {
		b.Fatalf("a claim after release: %v, %v", ok, err)
	}
	b.Clock.Advance(2 * time.Minute)
	if _, ok, err = b.DB.Kept().Claim(ctx, "oauth2 crm", time.Minute); err != nil || !ok {
		b.Fatalf("a claim on a dead one's: %v, %v", ok, err)
	}
	b.Must(late(ctx)) // the dead one wakes up: it takes nothing away
	if _, ok, err = b.DB.Kept().Claim(ctx, "oauth2 crm", time.Minute); err != nil || ok {
		b.Fatalf("a claim after a stranger's release: %v, %v, want none", ok, err)
	}
	long := bytes.Repeat([]byte{0, 0xff}, 5000)
	b.Must(b.DB.Kept().Save(ctx, "oauth2 crm", long))
	load(string(long))
}
