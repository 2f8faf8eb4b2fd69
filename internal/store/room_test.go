package store

import (
	"errors"
	"fmt"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/mattn/go-sqlite3"
)

func TestNoRoom(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{errors.New("disk is full"), false}, // a text says nothing
		{sqlite3.Error{Code: sqlite3.ErrFull}, true},
		{sqlite3.Error{Code: sqlite3.ErrIoErr, SystemErrno: syscall.ENOSPC}, true},
		{sqlite3.Error{Code: sqlite3.ErrBusy}, false},
		{&pgconn.PgError{Code: "53100"}, true},
		{&pgconn.PgError{Code: "53300"}, false},
		{syscall.ENOSPC, true},
		{syscall.EACCES, false},
	} {
		wrapped := tt.err
		if wrapped != nil {
			wrapped = fmt.Errorf("land: %w", errors.Join(errors.New("other"), tt.err))
		}
		if got := NoRoom(wrapped); got != tt.want {
			t.Errorf("NoRoom(%v) = %t, want %t", wrapped, got, tt.want)
		}
	}
}
