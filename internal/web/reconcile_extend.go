package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"maps"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"touchstone/internal/lookup"
	"touchstone/internal/record"
)

const (
	// maxExtendIDs and maxExtendProperties bound one request for values.
	maxExtendIDs        = 200
	maxExtendProperties = 50
)

type extendProperty struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	most int    // values in a row; 0: all
}

// cell is one value: {"str": …}, {"int": …}, {"float": …} or {"date": …}.
type cell map[string]any

type extendAnswer struct {
	Meta []extendProperty             `json:"meta"`
	Rows map[string]map[string][]cell `json:"rows"`
}

// extend gives the values of properties of golden records. An id that is not
// known has none.
func (s *server) extend(w http.ResponseWriter, r *http.Request, text string) {
	ids, properties, err := s.readExtend(r, text)
	if err != nil {
		s.failed(w, r, "reconcile", err)
		return
	}
	known, err := s.opts.LookUp.Shown(r.Context(), ids)
	if err != nil {
		s.failed(w, r, "reconcile", err)
		return
	}
	out := extendAnswer{Meta: properties, Rows: make(map[string]map[string][]cell, len(ids))}
	var shown []string
	for _, id := range ids {
		row := make(map[string][]cell, len(properties))
		for _, p := range properties {
			row[p.ID] = []cell{}
			if f, ok := known[id]; ok {
				row[p.ID] = cells(f, p)
			}
		}
		out.Rows[id] = row
		if f, ok := known[id]; ok && !slices.Contains(shown, f.ID) {
			shown = append(shown, f.ID)
		}
	}
	if s.reconcileSeen(w, r, shown) {
		s.answer(w, http.StatusOK, out)
	}
}

// readExtend reads {"ids": […], "properties": [{"id": …, "settings": {"limit": n}}]}.
func (s *server) readExtend(r *http.Request, text string) (ids []string, properties []extendProperty, err error) {
	bad := func(field, en, zh string) error { return &lookup.Problem{Field: "extend" + field, En: en, Zh: zh} }
	obj, err := readObject([]byte(text))
	if err != nil {
		return nil, nil, err
	}
	list, many := obj["ids"].([]any)
	ids, good := texts(list)
	if !many || !good || len(ids) > maxExtendIDs {
		return nil, nil, bad(".ids", "is no list of at most "+strconv.Itoa(maxExtendIDs)+" texts", "应为最多 "+strconv.Itoa(maxExtendIDs)+" 个文本的列表")
	}
	asked, many := obj["properties"].([]any)
	if !many || len(asked) > maxExtendProperties {
		return nil, nil, bad(".properties", "is no list of at most "+strconv.Itoa(maxExtendProperties)+" properties", "应为最多 "+strconv.Itoa(maxExtendProperties)+" 个属性的列表")
	}
	all := s.properties(r, "")
	for i, v := range asked {
		at := ".properties[" + strconv.Itoa(i) + "]"
		obj, _ := v.(map[string]any)
		id, ok := obj["id"].(string)
		if !ok {
			return nil, nil, bad(at+".id", "is missing", "缺失")
		}
		p := extendProperty{ID: id, Name: id}
		if k := slices.IndexFunc(all, func(x suggestion) bool { return x.ID == id }); k >= 0 {
			p.Name = all[k].Name
		}
		settings, _ := obj["settings"].(map[string]any)
		if p.most, ok = settingLimit(settings["limit"]); !ok {
			return nil, nil, bad(at+".settings.limit", "is no whole number, 0 or more", "不是非负整数")
		}
		properties = append(properties, p)
	}
	return ids, properties, nil
}

// settingLimit reads a number, which OpenRefine sends as a number or as a text.
func settingLimit(v any) (int, bool) {
	text, ok := propertyText(v)
	if v == nil || ok && text == "" {
		return 0, true
	}
	f, err := strconv.ParseFloat(text, 64)
	if !ok || err != nil || f < 0 || f != math.Trunc(f) {
		return 0, false
	}
	return int(min(f, 1e6)), true
}

// cells are the values of one property of a golden record.
func cells(f lookup.Found, p extendProperty) []cell {
	out := []cell{}
	if p.ID == systemsProperty {
		for _, x := range f.Systems {
			out = append(out, cell{"str": x.Source})
		}
		return bounded(out, p.most)
	}
	name, part, _ := strings.Cut(p.ID, ".")
	spec, known := record.Spec(f.Entity, name)
	if !known && p.ID == "name" && f.Name != "" { // a person has names of several kinds
		out = append(out, cell{"str": f.Name})
	}
	v := f.Fields[spec.Name]
	switch {
	case v.Blank():
	case v.Kind != record.List:
		out = append(out, cellOf(v))
	default:
		for _, point := range v.Points {
			if text := pointText(spec.Name, point, part); text != "" {
				out = append(out, cell{"str": text})
			}
		}
	}
	return bounded(out, p.most)
}

func bounded(list []cell, most int) []cell {
	if most > 0 {
		return list[:min(most, len(list))]
	}
	return list
}

// wholeDate is the form that a date has in our fields.
var wholeDate = regexp.MustCompile(`^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$`)

func cellOf(v record.Value) cell {
	switch v.Kind {
	case record.Number:
		if n, err := strconv.ParseInt(v.Text, 10, 53); err == nil {
			return cell{"int": n}
		}
		if n, err := strconv.ParseFloat(v.Text, 64); err == nil && !math.IsInf(n, 0) && !math.IsNaN(n) {
			return cell{"float": json.Number(strconv.FormatFloat(n, 'g', -1, 64))}
		}
	case record.Date:
		if wholeDate.MatchString(v.Text) {
			return cell{"date": v.Text + "T00:00:00Z"}
		}
	}
	return cell{"str": v.Text}
}

// pointText is one entry of a list, or one part of it; of identifiers the part is
// the scheme.
func pointText(field string, p record.Point, part string) string {
	switch {
	case field == "ids" && part != "":
		if strings.EqualFold(p.Parts["scheme"], part) {
			return p.Value
		}
		return ""
	case part != "":
		return p.Parts[part]
	case p.Value != "":
		return p.Value
	}
	var parts []string
	for _, name := range record.AddressParts {
		if s := p.Parts[name]; s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, ", ")
}

// previewFields is how many fields a preview shows.
const previewFields = 8

const previewStyle = `body{font:14px/1.4 sans-serif;margin:8px;color:#222;background:#fff}h1{font-size:16px;margin:0 0 4px}` +
	`p{margin:0 0 6px;color:#555}table{border-collapse:collapse}th{text-align:left;font-weight:normal;color:#555;padding-right:10px;vertical-align:top}td{word-break:break-word}`

// previewHTML is a page for a frame of a client's page.
var previewHTML = template.Must(template.New("preview").Funcs(template.FuncMap{
	"style": func() template.CSS { return previewStyle },
}).Parse(`<!DOCTYPE html>
<html lang="{{.Lang}}"><head><meta charset="utf-8"><title>{{.Name}}</title><style>{{style}}</style></head>
<body><h1>{{.Name}}</h1><p>{{.Type}} · {{.ID}}{{with .Systems}} · {{.}}{{end}}</p>
<table>{{range .Fields}}<tr><th scope="row">{{.Name}}</th><td>{{.Value}}</td></tr>{{end}}</table></body></html>
`))

// previewPolicy lets anybody frame a preview: there is nothing in it to press,
// and who frames it knows the secret in its address.
func previewPolicy() string {
	sum := sha256.Sum256([]byte(previewStyle))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'; frame-ancestors *"
}

// preview shows one golden record in a frame.
func (s *server) preview(w http.ResponseWriter, r *http.Request) {
	f, ok := s.oneShown(w, r)
	if !ok {
		return
	}
	l := asksIn(r)
	type row struct{ Name, Value string }
	page := struct {
		Lang, ID, Name, Type, Systems string
		Fields                        []row
	}{Lang: l.Code, ID: f.ID, Name: f.Name, Type: l.word("entity", f.Entity), Systems: s.held(r, f.Systems)}
	for _, name := range fieldOrder(f) {
		var values []string
		for _, c := range cells(f, extendProperty{ID: name, most: 3}) {
			values = append(values, cellText(c))
		}
		if len(values) > 0 && len(page.Fields) < previewFields {
			page.Fields = append(page.Fields, row{l.word("field", name), cutText(strings.Join(values, l.And), 200)})
		}
	}
	var b bytes.Buffer
	if err := previewHTML.Execute(&b, page); err != nil {
		s.failed(w, r, "reconcile", err)
		return
	}
	h := w.Header()
	h.Del("X-Frame-Options")
	h.Set("Content-Security-Policy", previewPolicy())
	h.Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(b.Bytes()) // a client that went away is its own affair
}

// fieldOrder names a golden record's fields in the order people read them.
func fieldOrder(f lookup.Found) (names []string) {
	for _, spec := range record.Specs(f.Entity) {
		names = append(names, spec.Name)
	}
	return names
}

func cellText(c cell) string {
	for _, kind := range slices.Sorted(maps.Keys(c)) {
		switch v := c[kind].(type) {
		case string:
			return strings.TrimSuffix(v, "T00:00:00Z")
		case int64:
			return strconv.FormatInt(v, 10)
		case json.Number:
			return v.String()
		}
	}
	return ""
}
