package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/table"
)

// ExportTable writes every live golden record as a row, oldest founder first: a
// workbook with a sheet for each entity type, or a CSV file of one. It gives the
// number of rows.
func (a *App) ExportTable(ctx context.Context, format, entity string, w io.Writer) (rows int, err error) {
	t, err := table.New(format, w)
	if err != nil {
		return 0, fmt.Errorf("export: %w", err)
	}
	names := []string{entity}
	if entity == "" {
		names = names[:0]
		for _, e := range a.entities {
			names = append(names, e.name)
		}
	}
	for _, name := range names {
		n, err := a.exportSheet(ctx, t, name)
		rows += n
		if err != nil {
			return rows, fmt.Errorf("export: %w", err)
		}
	}
	if err := t.Close(); err != nil {
		return rows, fmt.Errorf("export: %w", err)
	}
	return rows, nil
}

func (a *App) exportSheet(ctx context.Context, t table.Writer, entity string) (rows int, err error) {
	specs := record.Specs(entity)
	header := []string{"golden_id", "changed_at", "records"}
	for _, s := range specs {
		header = append(header, s.Name)
	}
	if err := t.Sheet(entity, header); err != nil {
		return 0, err
	}
	var cells []table.Cell
	err = a.EachGolden(ctx, entity, false, func(g store.Golden, members []store.Member) error {
		var fields record.Fields
		if err := json.Unmarshal(g.Fields, &fields); err != nil {
			return fmt.Errorf("golden record %s: %w", g.ID, err)
		}
		refs := make([]string, len(members))
		for i, m := range members {
			refs[i] = a.refName(m.Ref)
		}
		cells = append(cells[:0], table.Text(g.ID), table.Text(g.ChangedAt), table.Text(strings.Join(refs, " ")))
		for _, s := range specs {
			v := fields[s.Name]
			cells = append(cells, table.Cell{Text: ShowValue(v), Number: v.Kind == record.Number})
		}
		rows++
		return t.Row(cells)
	})
	return rows, err
}
