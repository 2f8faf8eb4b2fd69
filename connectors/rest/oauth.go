package rest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"touchstone/connectors"
)

// Bounds of waiting for another process that renews the same grant.
const (
	claimLife = time.Minute
	claimStep = 250 * time.Millisecond
)

// refresh uses the refresh token. Many servers give a new one with every
// answer and forget the old: so the new one is kept before the access token is
// used, one process at a time does it, and a refused one is no reason to give
// up, let alone to forget the grant, before the store was read again: another
// process may have used it first.
func (a *authority) refresh(ctx context.Context) error {
	if a.keeper == nil {
		return errors.New("there is no place to keep a refresh token")
	}
	if a.now.unkept { // the server gave it; only our store did not take it
		return a.keep(ctx, a.now)
	}
	release, adopted, err := a.claim(ctx)
	if err != nil || adopted {
		return err
	}
	defer func() { _ = release(context.WithoutCancel(ctx)) }() // ends by itself after claimLife
	kept, err := a.kept(ctx)
	if err != nil || a.adopt(kept) {
		return err
	}
	used := kept.Refresh
	g, err := a.use(ctx, used)
	if errors.Is(err, errInvalidGrant) {
		if kept, err2 := a.kept(ctx); err2 != nil {
			return errors.Join(err, err2)
		} else if a.adopt(kept) {
			return nil
		} else if kept.Refresh != used {
			g, err = a.use(ctx, kept.Refresh)
		}
	}
	if errors.Is(err, errInvalidGrant) {
		return fmt.Errorf("%w: the refresh token is refused (%w); it is kept as it is: grant access again and configure the new refresh_token", connectors.ErrAuth, err)
	}
	if err != nil {
		return err
	}
	return a.keep(ctx, g)
}

func (a *authority) use(ctx context.Context, token string) (grant, error) {
	g, err := a.grantFor(ctx, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
	if g.Refresh == "" {
		g.Refresh = token // it stays good
	}
	g.Seed = a.seed()
	return g, err
}

// keep saves a grant and only then lets it be used.
func (a *authority) keep(ctx context.Context, g grant) error {
	b, err := json.Marshal(g)
	if err != nil {
		return errors.New("the grant cannot be written")
	}
	g.unkept = true
	a.now = g
	if err := a.keeper.Save(context.WithoutCancel(ctx), keptAs(a.name), b); err != nil {
		return fmt.Errorf("keep the refresh token: %w", err)
	}
	a.now.unkept = false
	return nil
}

// kept is the grant in the store; at first, and when another refresh token was
// configured since, one of the configuration's token alone.
func (a *authority) kept(ctx context.Context) (grant, error) {
	for _, name := range append([]string{a.name}, a.was...) {
		b, err := a.keeper.Load(ctx, keptAs(name))
		if err != nil {
			return grant{}, fmt.Errorf("load the refresh token: %w", err)
		}
		var g grant
		if len(b) > 0 && json.Unmarshal(b, &g) == nil && g.Seed == a.seed() && g.Refresh != "" {
			return g, nil
		}
	}
	return grant{Refresh: a.opts.RefreshToken.Reveal(), Seed: a.seed()}, nil
}

// adopt takes over a grant that another process got, if it is a good one and
// not the one that was refused here.
func (a *authority) adopt(g grant) bool {
	if !a.good(g) || g.Access == a.now.Access {
		return false
	}
	a.now = g
	return true
}

// claim waits until no other process renews this grant, or until one has done
// it: then there is nothing left to do.
func (a *authority) claim(ctx context.Context) (release func(context.Context) error, adopted bool, err error) {
	claimer, ok := a.keeper.(connectors.Claimer)
	if !ok {
		return func(context.Context) error { return nil }, false, nil
	}
	clock := a.client.http.Clock()
	for end := clock.Now().Add(2 * claimLife); ; {
		release, ok, err := claimer.Claim(ctx, keptAs(a.name), claimLife)
		if err != nil || ok {
			return release, false, err
		}
		kept, err := a.kept(ctx)
		if err != nil || a.adopt(kept) {
			return nil, true, err
		}
		if clock.Now().After(end) {
			return nil, false, errors.New("another process renews the token and does not end")
		}
		if err := clock.Sleep(ctx, claimStep); err != nil {
			return nil, false, err
		}
	}
}

func keptAs(source string) string { return "oauth2 " + source }

func (a *authority) seed() string {
	sum := sha256.Sum256([]byte("seed " + a.opts.RefreshToken.Reveal()))
	return hex.EncodeToString(sum[:8])
}
