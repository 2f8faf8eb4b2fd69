package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"touchstone/internal/demo"
	"touchstone/internal/simulator"
)

// systemNames lists the systems that can be simulated.
func systemNames() []string { return []string{"crm", "desk", "hubspot", "zendesk", "gleif"} }

// simulated are systems in one process.
type simulated struct {
	list []namedSystem
}

type namedSystem struct {
	name string
	*simulator.System
}

// openSystems opens the named systems, each with its state in a folder of its
// own. With customers above 0 the vendors' hold so many made-up companies and
// persons, else the demo's.
func openSystems(state string, names []string, customers int) (*simulated, error) {
	if customers < 0 || customers > simulator.MostCustomers {
		return nil, usageError{fmt.Errorf("--customers is %d, want 0 to %d", customers, simulator.MostCustomers)}
	}
	s := &simulated{}
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			return nil, errors.Join(usageError{fmt.Errorf("--systems names %q twice", name)}, s.Close())
		}
		profile, seed, err := systemNamed(name, customers)
		if err != nil {
			return nil, errors.Join(err, s.Close())
		}
		sys, err := simulator.Open(filepath.Join(state, name), profile, seed)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("open simulated %s: %w", name, err), s.Close())
		}
		s.list = append(s.list, namedSystem{name, sys})
	}
	if len(s.list) == 0 {
		return nil, usageError{errors.New("--systems names none")}
	}
	return s, nil
}

func systemNamed(name string, customers int) (simulator.Profile, simulator.Seed, error) {
	switch name {
	case "crm", "desk":
		crm, desk, err := demo.Seeds()
		if name == "crm" {
			return simulator.CRM(), crm, err
		}
		return simulator.Desk(), desk, err
	case "hubspot", "zendesk", "gleif":
		hubspot, zendesk, gleif, err := vendorSeeds(customers)
		switch name {
		case "hubspot":
			return simulator.HubSpot(), hubspot, err
		case "zendesk":
			return simulator.Zendesk(), zendesk, err
		}
		return simulator.GLEIF(), gleif, err
	}
	return simulator.Profile{}, nil, usageError{fmt.Errorf("--systems: there is no system %q; want some of %s", name, strings.Join(systemNames(), ", "))}
}

func vendorSeeds(customers int) (hubspot, zendesk, gleif simulator.Seed, err error) {
	if customers == 0 {
		return demo.Vendors()
	}
	made, err := simulator.Synthetic(customers, 1)
	return made.HubSpot, made.Zendesk, made.GLEIF, err
}

// Close closes every system.
func (s *simulated) Close() error {
	var errs []error
	for _, sys := range s.list {
		errs = append(errs, sys.Close())
	}
	return errors.Join(errs...)
}

// tokens says what each system takes as a credential: they open nothing else.
func (s *simulated) tokens() string {
	var b strings.Builder
	for _, sys := range s.list {
		if token := tokenOf(sys.name); token != "" {
			fmt.Fprintf(&b, "  token for %s: %s\n", sys.name, token)
		}
	}
	return b.String()
}

func tokenOf(name string) string {
	switch name {
	case "crm":
		return simulator.CRM().Token
	case "desk":
		return simulator.Desk().Token
	case "hubspot":
		return simulator.HubSpotToken
	case "zendesk":
		return simulator.ZendeskToken
	}
	return ""
}

// addresses lists where the systems are, for a person.
func (s *simulated) addresses(base string) string {
	var list []string
	for _, sys := range s.list {
		list = append(list, base+"/"+sys.name)
	}
	if len(list) == 1 {
		return list[0]
	}
	return strings.Join(list[:len(list)-1], ", ") + " and " + list[len(list)-1]
}
