package store

import (
	"bytes"
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// engineFS reads the migrations with the few engine words replaced, so that
// one SQL text serves both databases. A line behind "--sqlite " or "--postgres "
// is that engine's alone.
type engineFS struct {
	fs.FS
	engine string
	words  *strings.Replacer
}

func (e engineFS) text(all string) string {
	var b strings.Builder
	for line := range strings.Lines(e.words.Replace(all)) {
		for _, engine := range []string{"sqlite", "postgres"} {
			if own, ok := strings.CutPrefix(line, "--"+engine+" "); ok {
				if line = ""; engine == e.engine {
					line = own
				}
			}
		}
		b.WriteString(line)
	}
	return b.String()
}

func (e engineFS) Open(name string) (fs.File, error) {
	f, err := e.FS.Open(name)
	if err != nil || !strings.HasSuffix(name, ".sql") {
		return f, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	text, err := fs.ReadFile(e.FS, name)
	if err != nil {
		return nil, err
	}
	return &memFile{Reader: bytes.NewReader([]byte(e.text(string(text)))), info: info}, nil
}

type memFile struct {
	*bytes.Reader
	info fs.FileInfo
}

func (m *memFile) Stat() (fs.FileInfo, error) { return m.info, nil }
func (m *memFile) Close() error               { return nil }

// migrate brings the schema up to date on a pool of its own, which is closed
// afterwards: goose leaves session state behind.
func migrate(ctx context.Context, d *dialect, pool *sql.DB) error {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(d.goose, pool, engineFS{FS: dir, engine: d.name, words: d.words})
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	has, err := p.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	sources := p.ListSources()
	if newest := sources[len(sources)-1].Version; has > newest {
		return fmt.Errorf("the store has schema version %d, this program knows %d: use the newer program, or restore the backup made before the upgrade", has, newest)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}
