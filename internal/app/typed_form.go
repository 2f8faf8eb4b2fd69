package app

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/text/width"

	"touchstone/internal/record"
	"touchstone/matching/compare"
	"touchstone/matching/standardise"
)

// canonical gives a value in the form in which its kind is written, or refuses it.
// Standardising what it gives changes nothing.
func canonical(spec record.FieldSpec, v record.Value, country string, allowed []string) (record.Value, error) {
	if len(allowed) > 0 && v.Kind == record.Text {
		text, err := oneOfAllowed(spec, v.Text, allowed)
		return record.TextValue(text), err
	}
	var err error
	switch spec.Name {
	case "country":
		v.Text, err = countryTyped(v.Text)
		return v, err
	case "website":
		v.Text, err = siteTyped(v.Text)
		return v, err
	case "phones", "emails", "ids", "addresses":
		points := slices.Clone(v.Points)
		for i, p := range points {
			switch spec.Name {
			case "phones":
				points[i].Value, err = phoneTyped(p.Value, country)
			case "emails":
				points[i].Value, err = emailTyped(p.Value)
			case "ids":
				points[i], err = idTyped(p)
			case "addresses":
				points[i], err = placeTyped(p)
			}
			if err != nil {
				return v, err
			}
		}
		return record.ListValue(points...), nil
	}
	return v, nil
}

// mostNear is how many codes a refusal names.
const mostNear = 3

func countryTyped(text string) (string, error) {
	if code := standardise.CountryCode(text); code != "" {
		return code, nil
	}
	var names []string
	for _, c := range standardise.NearCountries(text, mostNear) {
		names = append(names, c.Code+" ("+c.Name+")")
	}
	if len(names) == 0 {
		return "", unclear("%q is no country: %s is the two letters of ISO 3166, such as GB, CN or DE, or a country's name", text, wordOf("field", "country"))
	}
	return "", unclear("%q is no country; the nearest codes are %s", text, strings.Join(names, ", "))
}

// oneOfAllowed finds the word of the rules that a text stands for.
func oneOfAllowed(spec record.FieldSpec, text string, allowed []string) (string, error) {
	if slices.Contains(allowed, text) {
		return text, nil
	}
	folded := standardise.Fold(text)
	slips := make(map[string]int, len(allowed))
	for _, word := range allowed {
		if standardise.Fold(word) == folded {
			return word, nil
		}
		slips[word] = compare.LevenshteinString(folded, standardise.Fold(word), compare.Max)
	}
	near := slices.Clone(allowed)
	slices.SortStableFunc(near, func(x, y string) int { return cmp.Compare(slips[x], slips[y]) })
	return "", unclear("the rules allow no %q for %s; nearest are %s", text, wordOf("field", spec.Name), strings.Join(near[:min(len(near), mostNear)], ", "))
}

func phoneTyped(text, country string) (string, error) {
	number, ext, note := standardise.Phone(text, country)
	switch {
	case severalNumbers(text):
		return "", unclear("%s: two numbers are two entries", wordOf("field", "phones"))
	case number == "" || note != "" && country == "":
		return "", unclear("%s: what was typed is no telephone number", wordOf("field", "phones"))
	case note != "":
		return "", unclear("%s: what was typed is no telephone number of %s; begin with + and the country's code if it is another country's", wordOf("field", "phones"), country)
	case number[0] != '+':
		return "", unclear("%s: the customer's country is not known or not one alone; begin with + and the country's code, such as +49", wordOf("field", "phones"))
	case ext != "":
		return number + " ext. " + ext, nil
	case text[0] == '+' && number == "+"+standardise.Digits(text) && strings.Trim(text, "+0123456789 -().") == "":
		return text, nil // it is whole, and as legible as who typed it likes it
	}
	return number, nil
}

// severalNumbers says whether a sign that parts numbers has a whole one on both
// sides. A slash stands within a German number too, behind its area code.
func severalNumbers(text string) bool {
	for i, r := range text {
		least := 6
		switch r {
		case '/':
			least = 7
		case ',', ';', '、', '，', '；', '或':
		default:
			continue
		}
		if len(standardise.Digits(text[:i])) >= least && len(standardise.Digits(text[i:])) >= least {
			return true
		}
	}
	return false
}

func emailTyped(text string) (string, error) {
	address := strings.TrimSpace(text)
	if _, inner, ok := strings.Cut(address, "<"); ok { // "Ann Lee <ann@example.com>"
		address, _, _ = strings.Cut(inner, ">")
	}
	if len(address) > 7 && strings.EqualFold(address[:7], "mailto:") {
		address, _, _ = strings.Cut(address[7:], "?")
	}
	address = width.Fold.String(address)
	local, domain, _ := standardise.Email(address)
	if local == "" || !strings.Contains(domain, ".") || strings.Count(address, "@") != 1 || strings.ContainsAny(address, " \t\r\n,;/|()<>?、。") || strings.HasSuffix(address, ".") {
		return "", unclear("%s: what was typed is no e-mail address", wordOf("field", "emails"))
	}
	return strings.ToLower(address), nil
}

// siteTyped keeps the path of a web address; its host is written small.
func siteTyped(text string) (string, error) {
	refused := unclear("%s is a web address, such as www.example.com", wordOf("field", "website"))
	if strings.ContainsAny(text, " \t") || standardise.Domain(text) == "" || strings.Contains(text, "@") && !strings.Contains(text, "/") {
		return "", refused
	}
	scheme, rest, has := strings.Cut(text, "://")
	if !has {
		scheme, rest = "http", text
	}
	u, err := url.Parse(scheme + "://" + rest)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
		return "", refused
	}
	// Its parts stay as they were typed: url.URL would write a Chinese host in percents.
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	host, path := strings.ToLower(rest[:end]), rest[end:]
	if path == "/" {
		path = ""
	}
	if !has {
		return host + path, nil
	}
	return u.Scheme + "://" + host + path, nil
}

func idTyped(p record.Point) (record.Point, error) {
	scheme := cmp.Or(p.Parts["scheme"], p.Kind)
	id, note := standardise.Identifier(scheme, p.Value)
	switch {
	case id.Value == "":
		return p, unclear("%s: what was typed is no number of a register", wordOf("field", "ids"))
	case id.Wrong && (scheme == "" || isCard(p.Value)):
		return p, nil // which register it is of was guessed, or it is a person's card, by which they pay tax
	case id.Wrong:
		if want, has := id.Expected(); want != "" {
			return p, unclear("%s: the check digit is wrong, %s was expected and %s stands there", wordOf("field", "ids"), want, has)
		}
		return p, unclear("%s: the check digit is wrong", wordOf("field", "ids"))
	case note != "":
		return p, unclear("%s: what was typed does not have the length of its register's numbers", wordOf("field", "ids"))
	}
	if !id.Checked && !slices.Contains([]string{"crn", "duns", "ein"}, id.Scheme) {
		return p, nil // how its register writes it is not known
	}
	p.Value = id.Value
	if p.Parts["scheme"] != "" && id.Scheme != "" {
		p.Parts = maps.Clone(p.Parts)
		p.Parts["scheme"] = id.Scheme
	}
	return p, nil
}

// isCard says whether a number is that of a Chinese identity card.
func isCard(text string) bool {
	id, _ := standardise.Identifier("cnid", text)
	return id.Checked
}

func placeTyped(p record.Point) (record.Point, error) {
	if p.Parts["country"] == "" {
		return p, nil
	}
	code, err := countryTyped(p.Parts["country"])
	if err != nil {
		return p, err
	}
	p.Parts = maps.Clone(p.Parts)
	p.Parts["country"] = code
	return p, nil
}
