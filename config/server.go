package config

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// Server is where the pages and the API are served.
type Server struct {
	Listen   string   `yaml:"listen" default:"127.0.0.1:8480" doc:"Address and port of the pages and the API. An address that other machines can reach needs api_token."`
	APIToken Secret   `yaml:"api_token" doc:"What everybody gives who wants to see anything: as Authorization: Bearer, or when signing in. At least 16 characters. Without it only this machine is served. Put a proxy with TLS before it." example:"${env:TOUCHSTONE_TOKEN}"`
	Hosts    []string `yaml:"hosts" doc:"Further names under which the pages may be asked for; localhost and addresses in numbers always may. Example: [touchstone.example.com]"`
}

// minToken is the fewest characters of a token: shorter ones can be guessed.
const minToken = 16

// Check reports an address that is none, or that others could reach without a
// token.
func (s Server) Check(at Node) (problems []Problem) {
	if t := s.APIToken.Reveal(); t != "" && len(t) < minToken {
		problems = append(problems, at.Key("api_token").Problem("is shorter than %d characters and can be guessed; make one with: openssl rand -hex 24", minToken))
	}
	for i, h := range s.Hosts {
		if h == "" || strings.ContainsAny(h, " /:") {
			problems = append(problems, at.Key("hosts").Index(i).Problem("is no host name; want one like touchstone.example.com, without scheme and port"))
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
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}
