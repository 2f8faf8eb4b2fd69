package audit

import "context"

// By says in which role, and under which request, something is done. It goes
// with the context, so that whatever writes an entry finds it.
type By struct{ Role, Request string }

type byKey struct{}

// With says by what role and request is done what is done with the context.
func With(ctx context.Context, by By) context.Context { return context.WithValue(ctx, byKey{}, by) }

// From gives what With said; nothing where nobody did.
func From(ctx context.Context) By {
	by, _ := ctx.Value(byKey{}).(By)
	return by
}
