package rest

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
)

const referenceHead = `# rest

A system with a JSON interface over HTTP. What a vendor needs stands in the
configuration; names are Airbyte's where it has them.

- Values of the kind *expression* are bare (` + "`body.items`" + `). Paths and query
  parameters are texts with ` + "`{{ expression }}`" + ` parts; what is filled into a path is
  escaped. Over an answer there are ` + "`body`, `status` and `header`" + ` (names in small
  letters), over a record ` + "`record`" + `; requests have ` + "`cursor`, `id` or `key`" + `.
- A pass goes on until the paginator finds no next page; an empty page does not
  end it, except where pages are counted. A page token that repeats, or more than
  ` + "`max_pages`" + `, is an error. The high-water mark moves on when a pass ends, and
  records equal to it come again.
- Each change is sent once. A status of 2xx with ` + "`success`" + ` is applied; 409 and 412
  are conflicts, 429 and 401/403 are to be tried later, other 4xx are rejected;
  5xx, a timeout or a cut answer leave the outcome unknown. ` + "`error_handler`" + ` comes
  before all that.
- An error tells the status and, from ` + "`message`" + `, the server's sentence with the
  values that were sent cut out.

` + "`sample.yaml`" + ` is a whole source.
`

// Reference is the connector's page of the documentation, in Markdown: every
// key, from the tags that the checks use.
func Reference() []byte {
	var b bytes.Buffer
	b.WriteString(referenceHead)
	for _, s := range []struct {
		title string
		of    any
	}{
		{"Keys of the source", Options{}},
		{"auth", Auth{}},
		{"requester", Requester{}},
		{"requester.limit", Limit{}},
		{"streams.NAME", Stream{}},
		{"list, find_by_key", List{}},
		{"paginator", Paginator{}},
		{"paginator.inject", Inject{}},
		{"incremental", Incremental{}},
		{"read", Single{}},
		{"create, update, upsert", Write{}},
		{"class", Class{}},
		{"error_handler[]", ErrorRule{}},
	} {
		fmt.Fprintf(&b, "\n## %s\n\n| key | default | meaning |\n|---|---|---|\n", s.title)
		t := reflect.TypeOf(s.of)
		for i := range t.NumField() {
			if f := t.Field(i); f.Tag.Get("doc") != "" {
				fmt.Fprintf(&b, "| `%s` | %s | %s |\n", f.Tag.Get("yaml"), defaultOf(f), meaningOfKey(f))
			}
		}
	}
	return b.Bytes()
}

func defaultOf(f reflect.StructField) string {
	switch d := f.Tag.Get("default"); {
	case f.Tag.Get("required") == "true":
		return "must be given"
	case d != "":
		return "`" + d + "`"
	}
	return ""
}

func meaningOfKey(f reflect.StructField) string {
	text := strings.ReplaceAll(f.Tag.Get("doc"), "|", `\|`)
	if e := f.Tag.Get("example"); e != "" {
		text += "; for example `" + e + "`"
	}
	if o := f.Tag.Get("oneof"); o != "" && f.Name == "Class" {
		text += ": " + strings.ReplaceAll(o, " ", ", ")
	}
	return text
}
