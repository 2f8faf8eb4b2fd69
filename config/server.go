package config

import (
	"net"
	"net/netip"
	"strconv"
	"strings"

	"touchstone/internal/record"
)

// Server is where the pages and the API are served.
type Server struct {
	Listen   string   `yaml:"listen" default:"127.0.0.1:8480" doc:"Address and port of the pages and the API. An address that other machines can reach needs api_token."`
	APIToken Secret   `yaml:"api_token" doc:"What everybody gives who wants to see anything: as Authorization: Bearer, or when signing in. At least 16 characters. Without it only this machine is served. Put a proxy with TLS before it." example:"${env:TOUCHSTONE_TOKEN}"`
	Hosts    []string `yaml:"hosts" doc:"Further names under which the pages may be asked for; localhost and addresses in numbers always may. Example: [touchstone.example.com]"`
	Proxies  []string `yaml:"proxies" doc:"Addresses of proxies before the pages, as addresses or networks: of requests that come through them X-Forwarded-For says who calls. Example: [10.0.0.5, 192.0.2.0/24]"`
	OIDC     OIDC     `yaml:"oidc" doc:"Signs people in by the firm's identity provider (OpenID Connect): Keycloak, Entra ID, Okta, Google … Its redirect address is /login/oidc/callback under the address of the pages. With it everybody has to sign in."`
	Session  Session  `yaml:"session" doc:"How long people stay signed in."`

	MatchShows []string `yaml:"match_shows" doc:"Fields of a golden record that a look-up by POST /api/match may show beside its name. Without it the answer repeats only what the caller sent. Example: [status, website]"`
	Reconcile  Secret   `yaml:"reconcile" doc:"Turns on the reconciliation service for OpenRefine at /reconcile/ and this text, which stands in the address instead of a token: who has it reads golden records. 16 characters or more of letters, digits, - and _." example:"${env:TOUCHSTONE_RECONCILE}"`
}

// minToken is the fewest characters of a token: shorter ones can be guessed.
const minToken = 16

// wordSigns may stand in the path of an address as they are.
const wordSigns = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// Check reports an address that is none, or that others could reach without a
// token.
func (s Server) Check(at Node) (problems []Problem) {
	if t := s.APIToken.Reveal(); t != "" && len(t) < minToken {
		problems = append(problems, at.Key("api_token").Problem("is shorter than %d characters and can be guessed; make one with: openssl rand -hex 24", minToken))
	}
	if r := s.Reconcile.Reveal(); r != "" && (len(r) < minToken || strings.Trim(r, wordSigns) != "") {
		problems = append(problems, at.Key("reconcile").Problem("stands in an address and must not be guessed: want %d or more letters, digits, - and _; make one with: openssl rand -hex 24", minToken))
	} else if r != "" && s.Reconcile.Equal(s.APIToken) {
		problems = append(problems, at.Key("reconcile").Problem("is the same as api_token; addresses are kept in histories and logs, so want another one"))
	}
	for i, f := range s.MatchShows {
		_, company := record.Spec(record.Company, f)
		if _, person := record.Spec(record.Person, f); !company && !person {
			known := append(fieldNames(record.Company), fieldNames(record.Person)...)
			problems = append(problems, at.Key("match_shows").Index(i).Problem("neither company nor person has a field %q%s", f, hint(f, known)))
		}
	}
	problems = append(problems, s.OIDC.check(at.Key("oidc"))...)
	for i, h := range s.Hosts {
		if h == "" || strings.ContainsAny(h, " /:") {
			problems = append(problems, at.Key("hosts").Index(i).Problem("is no host name; want one like touchstone.example.com, without scheme and port"))
		}
	}
	for i, p := range s.Proxies {
		if _, err := ParseNetwork(p); err != nil {
			problems = append(problems, at.Key("proxies").Index(i).Problem("is no address and no network; want one like 10.0.0.5 or 10.0.0.0/24"))
		}
	}
	_, port, err := net.SplitHostPort(s.Listen)
	if n, perr := strconv.ParseUint(port, 10, 16); err != nil || perr != nil || n > 65535 {
		return append(problems, at.Key("listen").Problem("%s is no address with a port; want one like 127.0.0.1:8480", at.Key("listen").describe()))
	}
	if !OnLoopback(s.Listen) && s.APIToken.IsZero() {
		problems = append(problems, at.Key("listen").Problem("could be reached from other machines, and there is no server.api_token; set one, or want 127.0.0.1:%s", port))
	}
	return problems
}

// OnLoopback says whether only this machine can reach an address with a port.
func OnLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	return err == nil && loopback(host)
}

// loopback says whether a host is this machine.
func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// ParseNetwork reads a network, or an address as the network of it alone.
func ParseNetwork(s string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked(), nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, err
	}
	return a.Prefix(a.BitLen())
}

// Networks are the proxies before the pages.
func (s Server) Networks() (list []netip.Prefix) {
	for _, p := range s.Proxies {
		if n, err := ParseNetwork(p); err == nil { // Check has seen the others
			list = append(list, n)
		}
	}
	return list
}
