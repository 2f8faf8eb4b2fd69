// Command make turns the output of the record generator into the demo's data
// files. The data README says with which arguments; the same input gives the
// same bytes.
package main

import (
	"bytes"
	"encoding/csv"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	companies := flag.String("companies", "", "folder of the generator's companies")
	persons := flag.String("persons", "", "folder of the generator's persons")
	out := flag.String("out", "", "folder to write the data files to")
	flag.Parse()
	if err := run(*companies, *persons, *out); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run makes all files: good rows first, then the bad ones, then the lists that
// say who is who and what is wrong.
func run(companies, persons, out string) error {
	b := builder{next: map[string]int{}, files: map[string]*bytes.Buffer{}, owners: map[string]string{}}
	if err := b.load("company", companies); err != nil {
		return err
	}
	if err := b.load("person", persons); err != nil {
		return err
	}
	if err := b.addBad(); err != nil {
		return err
	}
	files, err := b.finish()
	if err != nil {
		return err
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(out, name), data, 0o600); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	return nil
}

// row is one generated record: column → text.
type row map[string]string

// load adds the generator's records of one entity with their truth.
func (b *builder) load(entity, dir string) error {
	truth, err := readTable(filepath.Join(dir, "truth.csv"))
	if err != nil {
		return err
	}
	clusters := map[string]string{}
	for _, t := range truth {
		clusters[t["id"]] = t["cluster"]
	}
	records, err := readTable(filepath.Join(dir, "records.csv"))
	if err != nil {
		return err
	}
	for _, r := range records {
		if err := b.add(entity, r, clusters[r["id"]]); err != nil {
			return fmt.Errorf("%s %s: %w", entity, r["id"], err)
		}
	}
	return nil
}

func readTable(path string) ([]row, error) {
	data, err := os.ReadFile(path) //nolint:gosec // the path is the caller's choice
	if err != nil {
		return nil, fmt.Errorf("read table: %w", err)
	}
	lines, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", filepath.Base(path), err)
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf("read %s: no header", filepath.Base(path))
	}
	var rows []row
	for _, line := range lines[1:] {
		r := row{}
		for i, name := range lines[0] {
			r[name] = line[i]
		}
		rows = append(rows, r)
	}
	return rows, nil
}
