package config

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Trace says where the daemon sends traces of what it does. Without an endpoint
// there are none.
type Trace struct {
	Endpoint  string            `yaml:"endpoint" doc:"Where traces go: a receiver that speaks OTLP over HTTP, such as Jaeger, Tempo or an OpenTelemetry collector. Without a path /v1/traces is meant." example:"https://tempo.example.com/v1/traces"`
	Headers   map[string]Secret `yaml:"headers" doc:"What is sent along with them, by name of the header. Needs https, or a receiver on this machine. Example: {Authorization: ${env:TRACE_TOKEN}}"`
	Sample    Percent           `yaml:"sample" default:"10%" doc:"Which share of requests to the pages and the API is traced, and which of the steps that repeat, behind the first hundred of a kind in each trace. Passes, pulls, resolving, deliveries and jobs always are."`
	Propagate bool              `yaml:"propagate" default:"false" doc:"Tell outside systems the number of the trace (the header traceparent)."`
}

const aboutTrace = "Traces hold names of this file, numbers, hosts and outcomes: no customer's data, no id, no secret. docs/running.md says how to look at them."

// mostTraceHeaders bounds the headers sent along with traces.
const mostTraceHeaders = 20

// Check reports an address that is none, and headers that could be read on their way.
func (t Trace) Check(at Node) (problems []Problem) {
	if t.Endpoint == "" {
		if len(t.Headers) > 0 {
			problems = append(problems, lacking(at, "endpoint", "is missing: without it no traces are sent"))
		}
		return problems
	}
	u, err := url.Parse(t.Endpoint)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		return append(problems, at.Key("endpoint").Problem("is no address like https://tempo.example.com/v1/traces"))
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		problems = append(problems, at.Key("endpoint").Problem("holds more than scheme, host and path; what is secret belongs in headers"))
	case u.Scheme == "http" && len(t.Headers) > 0 && !loopback(u.Hostname()):
		problems = append(problems, at.Key("endpoint").Problem("would send the headers readable over the net; want https"))
	}
	if len(t.Headers) > mostTraceHeaders {
		problems = append(problems, at.Key("headers").Problem("has %d headers, want %d at most", len(t.Headers), mostTraceHeaders))
	}
	sent := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(t.Headers)) {
		header, h := http.CanonicalHeaderKey(name), at.Key("headers").Key(name)
		switch {
		case strings.Trim(name, wordSigns) != "" || name == "":
			problems = append(problems, h.Problem("is no name of a header"))
		case slices.Contains([]string{"Content-Type", "Content-Length", "Content-Encoding", "Host", "User-Agent", "Traceparent", "Tracestate"}, header):
			problems = append(problems, h.Problem("is a header that is set already"))
		case sent[header] != "":
			problems = append(problems, h.Problem("is the same header as %s", sent[header]))
		case strings.ContainsFunc(t.Headers[name].Reveal(), func(r rune) bool { return r < ' ' || r == 0x7f }):
			problems = append(problems, h.Problem("holds a line break or another sign that no header may have"))
		}
		sent[header] = name
	}
	return problems
}

// Address is where traces are posted; "" for nowhere.
func (t Trace) Address() string {
	u, err := url.Parse(t.Endpoint)
	if err != nil || t.Endpoint == "" {
		return ""
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/v1/traces"
	}
	return u.String()
}

// Same says whether two say the same.
func (t Trace) Same(o Trace) bool {
	if t.Endpoint != o.Endpoint || t.Sample != o.Sample || t.Propagate != o.Propagate || len(t.Headers) != len(o.Headers) {
		return false
	}
	for name, v := range t.Headers {
		if w, ok := o.Headers[name]; !ok || !v.Equal(w) {
			return false
		}
	}
	return true
}
