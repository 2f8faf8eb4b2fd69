package rest

import (
	"net/url"
	"strings"
	"time"

	"touchstone/config"
	"touchstone/internal/httpx"
)

// Requester bounds requests.
type Requester struct {
	Timeout config.Duration `yaml:"timeout" default:"30s" min:"1s" max:"10m" doc:"of one request, its answer read whole"`
	MaxBody config.Size     `yaml:"max_body" default:"16MiB" min:"1KiB" max:"1GiB" doc:"the largest answer that is read, after it is inflated"`
	Limit   Limit           `yaml:"limit" doc:"how often the system may be asked, for all requests together"`
	Limits  []LimitFor      `yaml:"limits" doc:"further limits; a request keeps all that it falls under" example:"[{requests: 5, per: 1s, match: {path: \"*/search\"}}, {requests: 500000, per: 1d}]"`
}

// Limit is how often a system may be asked.
type Limit struct {
	Requests    int             `yaml:"requests" min:"0" doc:"requests in any span of per; 0 is no limit"`
	Per         config.Duration `yaml:"per" default:"1s" min:"1ms" max:"31d" doc:"the span of requests"`
	Concurrency int             `yaml:"concurrency" default:"4" min:"1" max:"100" doc:"requests at the same time"`
}

// LimitFor is a limit of some requests, or of all.
type LimitFor struct {
	Requests    int             `yaml:"requests" min:"0" doc:"weight of requests in any span of per; 0 is no limit"`
	Per         config.Duration `yaml:"per" default:"1s" min:"1ms" max:"31d" doc:"the span of requests; a day's budget is per: 1d. A wait of more than a minute ends the pass or delivery until later"`
	Concurrency int             `yaml:"concurrency" min:"0" max:"100" doc:"requests at the same time; 0 is no limit"`
	Match       Match           `yaml:"match" doc:"which requests it is for; all if absent"`
	Weight      int             `yaml:"weight" default:"1" min:"1" doc:"what one of these requests costs"`
	Remaining   string          `yaml:"remaining" doc:"the header of answers that says how much is left: with nothing left no request goes before reset" example:"X-RateLimit-Remaining"`
	Reset       string          `yaml:"reset" doc:"the header that says when there is more: seconds from now or since 1970, milliseconds since 1970, or a date" example:"X-RateLimit-Reset"`
}

// Match says which requests a limit is for.
type Match struct {
	Method string `yaml:"method" doc:"the method" example:"POST"`
	Path   string `yaml:"path" doc:"the path below base_url; * stands for anything" example:"/search/*"`
}

// Check reports a limit that limits nothing.
func (l LimitFor) Check(at config.Node) []config.Problem {
	if l.Requests == 0 && l.Concurrency == 0 && l.Remaining == "" {
		return []config.Problem{at.Problem("limits nothing; want requests, concurrency or remaining")}
	}
	if l.Reset != "" && l.Remaining == "" {
		return []config.Problem{at.Key("reset").Problem("has a meaning only with remaining")}
	}
	return nil
}

// HTTP is the configuration of the client that Open wants.
func (o Options) HTTP() httpx.Config {
	base, err := url.Parse(strings.TrimRight(o.BaseURL, "/"))
	if err != nil {
		base = &url.URL{}
	}
	l := o.Requester.Limit
	cfg := httpx.Config{
		Origin: origin(base), Timeout: time.Duration(o.Requester.Timeout), MaxBody: int64(o.Requester.MaxBody),
		Limit: httpx.Limit{Requests: l.Requests, Per: time.Duration(l.Per), Concurrency: l.Concurrency},
	}
	for _, f := range o.Requester.Limits {
		path := f.Match.Path
		if path != "" {
			path = base.Path + path
		}
		cfg.Limits = append(cfg.Limits, httpx.Limit{
			Requests: f.Requests, Per: time.Duration(f.Per), Concurrency: f.Concurrency,
			Method: f.Match.Method, Path: path, Weight: f.Weight, Remaining: f.Remaining, Reset: f.Reset,
		})
	}
	return cfg
}

// TokenHTTP is the configuration of the client that fetches OAuth2 tokens, and
// whether one is needed: token servers often are another host.
func (o Options) TokenHTTP() (cfg httpx.Config, needed bool) {
	u, err := url.Parse(o.Auth.TokenURL)
	if o.Auth.Type != "oauth2" || err != nil {
		return cfg, false
	}
	return httpx.Config{Origin: origin(u), Timeout: time.Duration(o.Requester.Timeout), MaxBody: 1 << 20}, true
}

func origin(u *url.URL) string {
	if u.Host == "" {
		return ""
	}
	return strings.ToLower(u.Scheme) + "://" + u.Host
}
