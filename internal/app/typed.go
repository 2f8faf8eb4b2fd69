package app

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/width"

	"touchstone/internal/golden"
	"touchstone/internal/record"
	"touchstone/internal/say"
	"touchstone/internal/store"
	"touchstone/internal/web"
	"touchstone/matching/compare"
	"touchstone/matching/standardise"
)

// Restated refuses a typed value until who typed it has seen the form in which it
// would be taken.
type Restated struct {
	Typed, As string
	Field     string
}

func (r *Restated) Error() string { return r.Told().String() }

// Told says in which form.
func (r *Restated) Told() say.Text {
	return say.New("%q is taken as %q for %s: save again if that is meant", r.Typed, r.As, wordOf("field", r.Field))
}

// ForReader says that the text is for who asked.
func (r *Restated) ForReader() bool { return true }

// ofTyped says of what is wrong with a typed value that it is the input's.
func ofTyped(input string, err error) error {
	var again *Restated
	var wrong *Unclear
	switch {
	case errors.As(err, &again):
		p := web.Refused(input, again.Told())
		p.Take = again.As
		return p
	case errors.As(err, &wrong):
		return web.Refused(input, wrong.Told())
	}
	return err
}

// TypedPin is what a typed value would be pinned as.
type TypedPin struct {
	Field string       `json:"field"`
	Typed string       `json:"typed"`
	Value record.Value `json:"-"`
	As    string       `json:"taken_as"` // as it is shown; Typed where nothing changes
	// coded says that the field holds one of few known words, and nobody's own.
	coded bool
}

// Changed says that the value would be taken in another form than typed.
func (p TypedPin) Changed() bool { return p.As != p.Typed }

// how is what the audit trail says of it. The trail holds no values of customers:
// only what stands for a code is told.
func (p TypedPin) how() string {
	switch {
	case !p.Changed():
		return ""
	case p.coded && !strings.ContainsFunc(p.Typed, func(r rune) bool { return !unicode.IsLetter(r) && r != ' ' && r != '.' }):
		return "typed as " + firstRunes(p.Typed, 60)
	}
	return "typed in another form"
}

func firstRunes(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// asked refuses a value in another form until that was seen.
func (p TypedPin) asked(r PinRequest) error {
	if r.Ask && p.Changed() && r.Seen != p.As {
		return &Restated{Typed: p.Typed, As: p.As, Field: p.Field}
	}
	return nil
}

// PreviewPin says what a typed value would be pinned as, and pins nothing.
func (a *App) PreviewPin(ctx context.Context, r PinRequest) (p TypedPin, err error) {
	err = a.Store.Look(ctx, func(tx *store.DecideTx) error {
		g, err := a.subject(ctx, tx, r.Golden)
		if err != nil {
			return err
		}
		if err := a.unmasked(ctx).settable(g.Ref.Entity, r.Field); err != nil {
			return err
		}
		spec, err := pinnable(g.Ref.Entity, r.Field)
		if err != nil {
			return err
		}
		if p, err = a.typed(ctx, g, spec, r.Value); err != nil {
			return err
		}
		return p.asked(r)
	})
	return p, err
}

// pinnable finds a field that can be pinned.
func pinnable(entity, field string) (record.FieldSpec, error) {
	spec, ok := record.Spec(entity, field)
	if !ok {
		var names []string
		for _, s := range record.Specs(entity) {
			names = append(names, s.Name)
		}
		return spec, unclear("%s has no field %q; it has %s", wordOf("entity", entity), field, wordsOf("field", names))
	}
	return spec, nil
}

// typed reads a value as a person typed it, and brings it to the form in which its
// kind is written: codes, dates, numbers to call, addresses. What people decided on
// the sources' values does not count: a pin is a word on this very record.
func (a *App) typed(ctx context.Context, g store.Subject, spec record.FieldSpec, text string) (p TypedPin, err error) {
	p = TypedPin{Field: spec.Name, Typed: strings.TrimSpace(text)}
	read, err := ParsePinned(spec, text)
	if err != nil {
		return p, err
	}
	country := ""
	if spec.Name == "phones" {
		if country, err = a.countryOf(ctx, g); err != nil {
			return p, err
		}
	}
	allowed := a.allowed(g.Ref.Entity, spec.Name)
	if p.Value, err = canonical(spec, read, country, allowed); err != nil {
		return p, err
	}
	p.coded = spec.Name == "country" || len(allowed) > 0
	if p.As = p.Typed; spec.Kind == record.Date || !p.Value.Equal(read) {
		p.As = ShowValue(p.Value)
	}
	return p, nil
}

// allowed lists the values that the rules of every source allow for a field; nil
// where one source's allow any.
func (a *App) allowed(entity, field string) (list []string) {
	e := a.entityNamed(entity)
	if e == nil {
		return nil
	}
	for _, uid := range slices.Sorted(maps.Keys(e.derivers)) {
		var own []string
		for _, s := range e.derivers[uid].Schemas {
			own = append(own, s.Limits(field).Enum...)
		}
		if len(own) == 0 {
			return nil
		}
		list = append(list, own...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// countryOf is the country that all records of a customer agree on; "" otherwise.
func (a *App) countryOf(ctx context.Context, g store.Subject) (code string, err error) {
	members, err := a.Store.MembersOf(ctx, []int64{g.Founder})
	if err != nil {
		return "", err
	}
	for _, m := range members[g.Founder] {
		authored, err := golden.ParseAuthored(m.Authored)
		if err != nil {
			return "", err
		}
		names := []string{authored["country"].Value.Text}
		for _, p := range authored["addresses"].Value.Points {
			names = append(names, p.Parts["country"])
		}
		for _, name := range names {
			switch c := standardise.CountryCode(name); {
			case c == "" || c == code:
			case code == "":
				code = c
			default:
				return "", nil
			}
		}
	}
	return code, nil
}

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
	case text[0] == '+' && number == "+"+onlyDigits(text) && strings.Trim(text, "+0123456789 -().") == "":
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
		if len(onlyDigits(text[:i])) >= least && len(onlyDigits(text[i:])) >= least {
			return true
		}
	}
	return false
}

func onlyDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
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
