package demo

import (
	"encoding/json"
	"testing"

	"touchstone/internal/simulator"
)

// TestVendorsHoldTheDemosCustomers: every link leads to an object that is there,
// and the truth names only such as are there.
func TestVendorsHoldTheDemosCustomers(t *testing.T) {
	hubspot, zendesk, gleif, err := Vendors()
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	counts := map[string]int{}
	type object struct {
		ID             string
		Properties     map[string]string
		Associations   map[string][]string
		OrganizationID json.Number `json:"organization_id"`
		RequesterID    json.Number `json:"requester_id"`
	}
	all := map[string][]object{}
	for _, sys := range []struct {
		p    simulator.Profile
		seed simulator.Seed
	}{{simulator.HubSpot(), hubspot}, {simulator.Zendesk(), zendesk}, {simulator.GLEIF(), gleif}} {
		s, err := simulator.Open(t.TempDir(), sys.p, sys.seed)
		if err != nil {
			t.Fatalf("%s: %v", sys.p.Name, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		for kind, list := range sys.seed {
			for _, raw := range list {
				var o object
				if err := json.Unmarshal(raw, &o); err != nil {
					t.Fatalf("%s %s: %v: %s", sys.p.Name, kind, err, raw)
				}
				there[sys.p.Name+" "+o.ID] = true
				counts[sys.p.Name+" "+kind]++
				all[sys.p.Name] = append(all[sys.p.Name], o)
			}
		}
	}
	links := 0
	for name, list := range all {
		for _, o := range list {
			for kind, ids := range o.Associations {
				for _, id := range ids {
					if links++; !there[name+" "+id] {
						t.Errorf("%s %s is linked to %s %s, which is not there", name, o.ID, kind, id)
					}
				}
			}
			for _, id := range []json.Number{o.OrganizationID, o.RequesterID} {
				if id == "" {
					continue
				}
				if links++; !there[name+" "+id.String()] {
					t.Errorf("%s %s is linked to %s, which is not there", name, o.ID, id)
				}
			}
			if name == "gleif" && !simulator.ValidLEI(o.ID) {
				t.Errorf("%s is no LEI", o.ID)
			}
		}
	}
	truth, err := VendorTruth()
	if err != nil {
		t.Fatal(err)
	}
	systems := map[string]map[string]bool{}
	for _, l := range truth {
		if !there[l.Source+" "+l.ID] {
			t.Errorf("the truth names %s %s, which is not there", l.Source, l.ID)
		}
		if systems[l.Customer] == nil {
			systems[l.Customer] = map[string]bool{}
		}
		systems[l.Customer][l.Source] = true
	}
	shared := 0
	for _, s := range systems {
		if len(s) > 1 {
			shared++
		}
	}
	if counts["hubspot companies"] < 307 || counts["hubspot contacts"] < 256 || counts["zendesk users"] < 147 || counts["zendesk organizations"] < 175 ||
		counts["gleif lei-records"] < 118 || counts["hubspot tickets"] < 30 || counts["zendesk tickets"] < 20 || links < 200 || shared < 50 {
		t.Errorf("the vendors hold %v with %d links and %d customers in several of them", counts, links, shared)
	}
}
