package trace

import (
	"context"
	"log/slog"
)

// Logged has log lines carry the number of the trace that they were written in.
func Logged(log *slog.Logger) *slog.Logger {
	if _, ok := log.Handler().(logged); ok {
		return log
	}
	return slog.New(logged{log.Handler()})
}

type logged struct{ slog.Handler }

// Handle is part of slog.Handler.
func (l logged) Handle(ctx context.Context, r slog.Record) error {
	if id := From(ctx).ID(); id != "" {
		r = r.Clone()
		r.AddAttrs(slog.String("trace_id", id))
	}
	return l.Handler.Handle(ctx, r)
}

// WithAttrs is part of slog.Handler.
func (l logged) WithAttrs(attrs []slog.Attr) slog.Handler { return logged{l.Handler.WithAttrs(attrs)} }

// WithGroup is part of slog.Handler.
func (l logged) WithGroup(name string) slog.Handler { return logged{l.Handler.WithGroup(name)} }
