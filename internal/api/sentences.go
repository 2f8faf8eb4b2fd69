package api

import (
	"context"
	"regexp"
	"strings"
	"sync"

	"touchstone/internal/say"
)

// sentence is something that the API or its library says of a request: its
// English form, and what finds the arguments in it.
type sentence struct {
	english string
	is      *regexp.Regexp
}

func known(english string) sentence {
	parts := strings.Split(english, "%s")
	for i, p := range parts {
		parts[i] = regexp.QuoteMeta(p)
	}
	return sentence{english, regexp.MustCompile(`^(?s:` + strings.Join(parts, "(.*)") + `)$`)}
}

// sentences are what a problem's detail and its faults can be, where nothing else
// has said them in the language asked for. The library's words are English only, and
// come made up: so all are found by their form. What has no form stays English.
var sentences = sync.OnceValue(func() []sentence {
	return []sentence{
		known("the body is larger than 1 MiB"),
		known("the body took longer than 10 seconds to arrive"),
		known("the body did not arrive whole"),
		known("bodies are taken as they are, without Content-Encoding"),
		known("the query is not well escaped"),
		known("the query cannot be taken as it is"),
		known("more than %s requests a second; wait a second"),
		known("ask with %s"),
		known("there is nothing at this address; /openapi.json lists what there is"),
		known("there is nothing of this name or id"),
		known("there is too much to do at once; ask again in a moment"),
		known("nothing was lost; the log says more under this number"),
		known("accounts are changed with an API token here: Authorization: Bearer"),
		known("this token does not have the permission %s, so it cannot give it"),
		known("the golden record has changed since it was read; read it again"),
		known("Idempotency-Key must stand once and have 8 to 200 visible ASCII characters"),
		known("this Idempotency-Key was used for another request"),
		known("the first request with this Idempotency-Key is still under way"),
		known("%s is no day and no moment"),
		known("%s and to must be days or moments"),
		known("%s is past"),
		known("%s must ask for 1 to %s ids"),
		known("is no day and no moment"),
		known("and to must be days or moments"),
		known("is past"),
		known("must ask for 1 to %s ids"),
		known("stands more than once"),
		known("is empty; leave it out"),
		known("not UTF-8"),
		known("not JSON, or not whole"),
		known("null stands where a value is wanted; leave the key out"),
		known("a key stands twice in one object"),
		known("this login name is taken"),
		known("this is the last active admin: make another one first"),
		known("there is no such role; want viewer, steward, admin or auditor"),
		known("there is no such permission, or the role does not have it"),
		known("a login name is 2 to 64 letters, digits and . _ - @, and begins with a letter or a digit"),
		// The library's.
		known("validation failed"),
		known("request body is required"),
		known("unknown query parameter"),
		known("unexpected property"),
		known("invalid integer"),
		known("invalid float"),
		known("invalid boolean"),
		known("required query parameter is missing"),
		known("expected string to be RFC 3339 date-time"),
		known("expected string to be RFC 3339 date"),
		known("expected boolean"),
		known("expected number"),
		known("expected integer"),
		known("expected string"),
		known("expected array"),
		known("expected object"),
		known("expected array items to be unique"),
		known(`expected value to be one of "%s"`),
		known("expected number >= %s"),
		known("expected number <= %s"),
		known("expected length >= %s"),
		known("expected length <= %s"),
		known("expected string to match pattern %s"),
		known("expected array length >= %s"),
		known("expected array length <= %s"),
		known("expected required property %s to be present"),
	}
})

// tell says a problem in the language that who asks reads. Its title stays: it is
// the status, and programs compare it.
func tell(ctx context.Context, p *Problem) *Problem {
	p.Detail = inWords(ctx, p.Detail)
	for i := range p.Errors {
		p.Errors[i].Message = inWords(ctx, p.Errors[i].Message)
	}
	return p
}

func inWords(ctx context.Context, english string) string {
	for _, s := range sentences() {
		m := s.is.FindStringSubmatch(english)
		if m == nil {
			continue
		}
		args := make([]any, len(m)-1)
		for i, a := range m[1:] {
			args[i] = a
		}
		return say.To(ctx, say.Text{English: s.english, Args: args})
	}
	return english
}
