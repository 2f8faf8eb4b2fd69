package store

import (
	"errors"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/mattn/go-sqlite3"
)

// pgDiskFull is PostgreSQL's disk_full (Appendix A, class 53).
const pgDiskFull = "53100"

// NoRoom says whether an error tells that there is no room: on the disk, or below
// the most that the store may hold.
func NoRoom(err error) bool {
	var lite sqlite3.Error
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &lite):
		return lite.Code == sqlite3.ErrFull || errors.Is(lite.SystemErrno, syscall.ENOSPC)
	case errors.As(err, &pg):
		return pg.Code == pgDiskFull
	}
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
