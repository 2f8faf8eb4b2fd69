package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"touchstone/internal/record"
)

// LevelDay is how long on a day (UTC, 2006-01-02) a source was fresh, a target
// in time or the daemon at work, of the time that was looked at.
type LevelDay struct {
	Day, Kind, Name string // Name is the uid of a source
	Good, Whole     time.Duration
}

const levelMark = "level.mark"

// LevelsUntil says until when service levels were kept; zero for never.
func (db *DB) LevelsUntil(ctx context.Context) (time.Time, error) {
	text, err := db.Setting(ctx, levelMark)
	if err != nil || text == "" {
		return time.Time{}, err
	}
	at, err := record.ParseTime(text)
	if err != nil {
		return at, fmt.Errorf("until when service levels were kept: %w", err)
	}
	return at, nil
}

// AddLevels adds to the days what was looked at from one moment to another, and
// forgets the days before one. It adds nothing where levels were kept until
// another moment than from meanwhile: no time is counted twice.
func (db *DB) AddLevels(ctx context.Context, list []LevelDay, from, to time.Time, forget string) error {
	err := db.inTx(ctx, func(tx *Tx) error {
		mark, err := tx.setting(ctx, levelMark)
		if err != nil || mark != "" && mark != formatTime(from) {
			return err
		}
		for _, l := range list {
			_, err := tx.exec(ctx, `INSERT INTO level_day (day, kind, name, good, whole) VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (day, kind, name) DO UPDATE SET good = level_day.good + excluded.good, whole = level_day.whole + excluded.whole`,
				l.Day, l.Kind, l.Name, l.Good.Milliseconds(), l.Whole.Milliseconds())
			if err != nil {
				return err
			}
		}
		if _, err := tx.exec(ctx, `DELETE FROM level_day WHERE day < $1`, forget); err != nil {
			return err
		}
		return tx.setSetting(ctx, levelMark, formatTime(to))
	})
	if err != nil {
		return fmt.Errorf("keep service levels: %w", err)
	}
	return nil
}

// LevelsSince gives service levels from a day on, oldest first.
func (db *DB) LevelsSince(ctx context.Context, day string) (list []LevelDay, err error) {
	err = db.view(ctx, `SELECT day, kind, name, good, whole FROM level_day WHERE day >= $1 ORDER BY day, kind, name`, []any{day}, func(r *sql.Rows) error {
		var l LevelDay
		var good, whole int64
		err := r.Scan(&l.Day, &l.Kind, &l.Name, &good, &whole)
		l.Good, l.Whole = time.Duration(good)*time.Millisecond, time.Duration(whole)*time.Millisecond
		list = append(list, l)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read service levels: %w", err)
	}
	return list, nil
}
