// Package demo holds everything `touchstone demo` shows: made-up customers of
// three systems, embedded, and the configuration that brings them together.
package demo

import (
	"bytes"
	"embed"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"touchstone/internal/simulator"
)

//go:embed data
var files embed.FS

//go:embed demo.yaml
var configuration string

//go:embed vendors.yaml
var vendorConfiguration string

// folder is where WriteFiles puts the tables, under the demo's own folder.
const folder = "demo"

// tables are the files that the file sources read.
func tables() []string { return []string{"registry.csv", "persons.csv"} }

// Seeds gives what the two simulators hold at first. They go with
// simulator.CRM and simulator.Desk.
func Seeds() (crm, desk simulator.Seed, err error) {
	if crm, err = seed("crm"); err != nil {
		return nil, nil, err
	}
	if desk, err = seed("desk"); err != nil {
		return nil, nil, err
	}
	return crm, desk, nil
}

func seed(system string) (simulator.Seed, error) {
	s := simulator.Seed{}
	for _, object := range []string{"companies", "contacts"} {
		b, err := read(system + "_" + object + ".jsonl")
		if err != nil {
			return nil, err
		}
		for line := range bytes.Lines(b) {
			s[object] = append(s[object], json.RawMessage(bytes.TrimSpace(line)))
		}
	}
	return s, nil
}

func read(name string) ([]byte, error) {
	b, err := files.ReadFile(path.Join("data", name))
	if err != nil {
		return nil, fmt.Errorf("read demo data: %w", err)
	}
	return b, nil
}

// WriteFiles puts the registry's two tables into dir/demo. A file that is there
// with the same content is left alone, so that it does not look changed.
func WriteFiles(dir string) error {
	to := filepath.Join(dir, folder)
	if err := os.MkdirAll(to, 0o750); err != nil {
		return fmt.Errorf("write demo files: %w", err)
	}
	for _, name := range tables() {
		b, err := read(name)
		if err != nil {
			return err
		}
		at := filepath.Join(to, name)
		if have, err := os.ReadFile(at); err == nil && bytes.Equal(have, b) { //nolint:gosec // a fixed name in the demo's folder
			continue
		}
		if err := os.WriteFile(at, b, 0o600); err != nil {
			return fmt.Errorf("write demo files: %w", err)
		}
	}
	return nil
}

// Systems says where the two simulators listen: base URLs without a slash at the end.
type Systems struct{ CRM, Desk string }

// Config gives the demo's touchstone.yaml. Its file sources read dir/demo; with
// dir "" they read demo beside the configuration file.
func Config(dir string, systems Systems) []byte {
	in := filepath.ToSlash(filepath.Join(dir, folder)) + "/"
	return []byte(strings.NewReplacer("<crm>", yamlText(systems.CRM), "<desk>", yamlText(systems.Desk), "<dir>", yamlText(in)).Replace(configuration))
}

// VendorSystems says where the simulated vendors listen: base URLs without a
// slash at the end.
type VendorSystems struct{ HubSpot, Zendesk, GLEIF string }

// VendorConfig gives the touchstone.yaml of the demo with vendors, whose tokens
// open nothing but the simulators. It reads no files.
func VendorConfig(systems VendorSystems) []byte {
	return []byte(strings.NewReplacer(
		"<hubspot>", yamlText(systems.HubSpot), "<client-id>", simulator.HubSpotClientID, "<client-secret>", simulator.HubSpotClientSecret,
		"<refresh-token>", simulator.HubSpotRefreshToken,
		"<zendesk>", yamlText(systems.Zendesk), "<zendesk-token>", simulator.ZendeskToken,
		"<gleif>", yamlText(systems.GLEIF),
	).Replace(vendorConfiguration))
}

// yamlText escapes s for the inside of a double-quoted YAML scalar, whose
// escapes are those of a Go string for what a path or a URL can hold.
func yamlText(s string) string {
	q := strconv.Quote(s)
	return q[1 : len(q)-1]
}

// Link says which customer a record of the demo stands for.
type Link struct{ Source, Entity, ID, Customer string }

// Truth lists the good records with their customer: what matching should find.
func Truth() ([]Link, error) {
	rows, err := rows("truth.csv")
	if err != nil {
		return nil, err
	}
	list := make([]Link, 0, len(rows))
	for _, r := range rows {
		list = append(list, Link{r[0], r[1], r[2], r[3]})
	}
	return list, nil
}

// Fault is a record that is bad on purpose.
type Fault struct{ Source, Entity, ID, Why string }

// Bad lists the bad records: each of them belongs into quarantine.
func Bad() ([]Fault, error) {
	rows, err := rows("bad.csv")
	if err != nil {
		return nil, err
	}
	list := make([]Fault, 0, len(rows))
	for _, r := range rows {
		list = append(list, Fault{r[0], r[1], r[2], r[3]})
	}
	return list, nil
}

// rows reads an embedded table of four columns without its header.
func rows(name string) ([][]string, error) {
	b, err := read(name)
	if err != nil {
		return nil, err
	}
	c := csv.NewReader(bytes.NewReader(b))
	c.FieldsPerRecord = 4
	all, err := c.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read demo data %s: %w", name, err)
	}
	return all[1:], nil
}
