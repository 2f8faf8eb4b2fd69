package standardise

import "testing"

func TestPlacesOfLatinNames(t *testing.T) {
	for _, tt := range []struct{ in, brand, trade, place, form string }{
		{"Acme UK", "acme", "", "GB", ""},
		{"Acme U.K. Ltd", "acme", "", "GB", "ltd"},
		{"Acme (UK) Limited", "acme", "", "GB", "ltd"},
		{"Acme Ltd UK", "acme", "", "GB", "ltd"},
		{"Acme Deutschland GmbH", "acme", "", "DE", "gmbh"},
		{"ACME GERMANY GMBH", "acme", "", "DE", "gmbh"},
		{"Acme Österreich GmbH", "acme", "", "AT", "gmbh"},
		{"Acme France SAS", "acme", "", "FR", "sas"},
		{"Acme Software USA, Inc.", "acme", "software", "US", "inc"},
		{"Acme (Shanghai) Co., Ltd", "acme", "", "上海", "ltd"},
		{"Acme (China) Investment Co., Ltd.", "acme", "investment", "CN", "ltd"},
		{"Acme (Hong Kong) Ltd", "acme", "", "香港", "ltd"},
		{"Acme Hong Kong Ltd", "acme", "", "香港", "ltd"},
		{"Acme (M) Sdn Bhd", "acme", "", "MY", "sdnbhd"},
		{"Acme (S) Pte Ltd", "acme", "", "SG", "pte"},
		{"Acme New Zealand Limited", "acme", "", "NZ", "ltd"},
		{"Acme Holdings UK Ltd", "acme", "", "GB", "ltd"},
		{"Acme UK Holdings Ltd", "acme", "", "GB", "ltd"},
		// The place is the brand, or belongs to it.
		{"Paris Saint-Germain", "paris saint germain", "", "", ""},
		{"Air France", "air france", "", "", ""},
		{"Air France SA", "air france", "", "", "sa"},
		{"Bank of China", "bank of china", "", "", ""},
		{"London Drugs Limited", "london drugs", "", "", "ltd"},
		{"Crédit Suisse AG", "credit suisse", "", "", "ag"},
		{"New Mexico", "new mexico", "", "", ""},
		{"Electricité de France SA", "electricite de france", "", "", "sa"},
		{"Royal Air Maroc", "royal air maroc", "", "", ""},
		{"France Telecom", "france telecom", "", "", ""},
		{"Deutschland GmbH", "deutschland", "", "", "gmbh"},
		{"The India Ltd", "india", "", "", "ltd"},
		{"Trading UK Ltd", "trading uk", "", "", "ltd"},
		{"Royal Bank of Canada", "royal bank of canada", "", "", ""},
		{"Toys R Us", "toys r us", "", "", ""},
		{"Michael Jordan", "michael jordan", "", "", ""},
		{"Check It", "check it", "", "", ""},
	} {
		got, _ := Organisation(tt.in)
		if got.Brand != tt.brand || got.Trade != tt.trade || got.Place != tt.place || got.Form != tt.form {
			t.Errorf("%s is %q, trade %q, place %q, form %q; want %q, %q, %q, %q", tt.in, got.Brand, got.Trade, got.Place, got.Form, tt.brand, tt.trade, tt.place, tt.form)
		}
	}
}

func TestNamesThatEndLikeAForm(t *testing.T) {
	for _, tt := range []struct{ in, brand, form string }{
		{"Per Se", "per se", ""},
		{"per se", "per se", ""},
		{"PER SE", "per se", ""},
		{"Per Se LLC", "per se", "llc"},
		{"Sa Sa", "sa sa", ""},
		{"SA SA", "sa sa", ""},
		{"Sa Sa International Holdings Ltd", "sa sa", "ltd"},
		{"Pret a Manger", "pret a manger", ""},
		{"Pret a Manger (Europe) Ltd", "pret a manger", "ltd"},
		{"Nestlé SA", "nestle", "sa"},
		{"Nestle Sa", "nestle", "sa"},
		{"nestle s.a.", "nestle", "sa"},
		{"Airbus Se", "airbus", "se"},
		{"On AG", "on", "ag"},
		{"Per, SE", "per", "se"},
		{"Sa S.A.", "sa", "sa"},
		{"DNB ASA", "dnb", "as"},
		{"Ab Ltd", "ab", "ltd"},
		{"The Gap Inc", "gap", "inc"},
	} {
		if got, _ := Organisation(tt.in); got.Brand != tt.brand || got.Form != tt.form {
			t.Errorf("%s is %q with form %q, want %q with %q", tt.in, got.Brand, got.Form, tt.brand, tt.form)
		}
	}
}
