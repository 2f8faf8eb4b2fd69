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

- Values of the kind *expression* are bare (` + "`body.items`" + `). Paths, query
  parameters and the texts of bodies may hold ` + "`{{ expression }}`" + ` parts; what is
  filled into a path is escaped. Over an answer there are ` + "`body`, `status` and `header`" + `
  (names in small letters), over a record ` + "`record`" + `; requests have ` + "`cursor`, `until`," + `
  ` + "`last`, `id` or `key`" + `.
- A pass goes on until the paginator finds no next page; an empty page does not
  end it, except where pages are counted and no ` + "`stop_when`" + ` says more. A page token
  that repeats, or more than ` + "`max_pages`" + `, is an error. The high-water mark moves on
  when a pass ends, and records equal to it come again.
- A page token that the system no longer knows (400, 404 or 410, or a rule of class
  ` + "`reset`" + `) begins the pass again from its mark; a second time before its end is an
  error. With ` + "`paginator.restart`" + ` it goes on behind the greatest id it had reached.
- Each change is sent once. A status of 2xx with ` + "`success`" + ` is applied; 409 and 412
  are conflicts, 429 and 401/403 are to be tried later, other 4xx are rejected;
  5xx, a timeout or a cut answer leave the outcome unknown. ` + "`error_handler`" + ` comes
  before all that, and sees each refused entry of a batch's answer as an answer of
  its own. What a batch's answer does not tell of, and a job whose end is not seen,
  is unknown. A batch that is refused whole is sent again in halves.
- A token that is refused is renewed once and a read sent again; a write is sent
  again by the outbox. A refresh token that is replaced at use is kept in the store
  before the access token is used, by one process at a time.
- An error tells the status and, from ` + "`message`" + `, the server's sentence with the
  values that were sent and all secrets cut out.
- A vendor whose interface is known needs no more than ` + "`preset: NAME`" + ` and its
  credentials; the preset's keys can be overridden one by one.

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
		{"auth.login", Login{}},
		{"requester", Requester{}},
		{"requester.limit", Limit{}},
		{"requester.limits[]", LimitFor{}},
		{"requester.limits[].match", Match{}},
		{"streams.NAME", Stream{}},
		{"list, find_by_key", List{}},
		{"paginator", Paginator{}},
		{"paginator.inject", Inject{}},
		{"paginator.restart", Restart{}},
		{"incremental", Incremental{}},
		{"deleted_list, beside the keys of list", DeletedList{}},
		{"read", Single{}},
		{"create, update, upsert", Write{}},
		{"batch of create, update, upsert", Batch{}},
		{"….batch.job", Job{}},
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
