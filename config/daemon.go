package config

import (
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"time"

	"touchstone/internal/schedule"
)

// Log is how the daemon writes its log.
type Log struct {
	Format string `yaml:"format" default:"text" oneof:"text json" doc:"One line of key=value pairs, or one JSON object a line."`
	Level  string `yaml:"level" default:"info" oneof:"debug info warn error" doc:"The least that is written."`
}

// Alert says when a person is called, and how.
type Alert struct {
	Stale      Duration     `yaml:"stale" default:"1d" doc:"A source has had no successful run for so long. 0 never calls; so for the next four."`
	Waiting    int          `yaml:"waiting" default:"10000" min:"0" doc:"More records wait to be resolved, or more writes of one target wait to be sent, than this."`
	Quarantine int          `yaml:"quarantine" default:"1000" min:"0" doc:"More records are in quarantine than this."`
	Held       Duration     `yaml:"held" default:"1h" doc:"A target has waited for a person for so long."`
	Disk       Size         `yaml:"disk" default:"1GiB" doc:"Less room than this is left where the data is."`
	Repeat     Duration     `yaml:"repeat" default:"4h" min:"1m" doc:"What still holds is told again after so long."`
	Webhook    AlertWebhook `yaml:"webhook" doc:"Where alerts are sent over HTTP."`
	Mail       AlertMail    `yaml:"mail" doc:"Where alerts are sent by mail."`
}

const aboutAlert = "One message when something begins, one when it is over, and again after `repeat` while it lasts. A restart does not tell again what was told.\n\n" +
	"Messages name sources, targets and numbers, never a customer's data."

// AlertWebhook is an address that takes alerts as JSON, signed as standard-webhooks
// (https://www.standardwebhooks.com) say.
type AlertWebhook struct {
	URL    Secret `yaml:"url" doc:"The address; it often is a secret itself." example:"${env:ALERT_URL}"`
	Secret Secret `yaml:"secret" doc:"What messages are signed with: whsec_ and base64, or any text." example:"${env:ALERT_SECRET}"`
}

// AlertMail is a mail server and who gets the mail.
type AlertMail struct {
	Host     string   `yaml:"host" doc:"The mail server." example:"smtp.example.com"`
	Port     int      `yaml:"port" min:"1" max:"65535" doc:"Its port; 587 for starttls, 465 for tls, 25 for none." example:"587"`
	TLS      string   `yaml:"tls" oneof:"starttls tls none" doc:"starttls, which it is when left out, insists on it, tls speaks it from the first byte, none is for a server on this machine."`
	Username string   `yaml:"username" doc:"The account, where one is needed."`
	Password Secret   `yaml:"password" doc:"Its password." example:"${env:MAIL_PASSWORD}"`
	From     string   `yaml:"from" doc:"The sender's address." example:"touchstone@example.com"`
	To       []string `yaml:"to" max:"20" doc:"Who gets the mail." example:"[ops@example.com]"`
}

// Check reports lengths that make no sense.
func (a Alert) Check(at Node) (problems []Problem) {
	for _, d := range []struct {
		key string
		d   Duration
	}{{"stale", a.Stale}, {"held", a.Held}} {
		if d.d < 0 || d.d > 0 && d.d < Duration(time.Minute) {
			problems = append(problems, at.Key(d.key).Problem("is %s, want 0 or 1m and more", d.d))
		}
	}
	return problems
}

// Check reports an address without a secret, or one that is none. What stands
// there is not repeated.
func (w AlertWebhook) Check(at Node) (problems []Problem) {
	if w.URL.IsZero() {
		if !w.Secret.IsZero() {
			problems = append(problems, lacking(at, "url", "is missing: a secret alone calls nobody"))
		}
		return problems
	}
	if text := w.URL.Reveal(); text != "" {
		if u, err := url.Parse(text); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			problems = append(problems, at.Key("url").Problem("is no address like https://hooks.example.com/…"))
		}
	}
	if w.Secret.IsZero() {
		problems = append(problems, lacking(at, "secret", "is missing: without it nobody can tell our messages from another's"))
	}
	return problems
}

// Check reports what is missing or is no address.
func (m AlertMail) Check(at Node) (problems []Problem) {
	if m.Host == "" {
		if m.From != "" || len(m.To) > 0 || m.Username != "" {
			problems = append(problems, lacking(at, "host", "is missing: no mail is sent without a mail server"))
		}
		return problems
	}
	if strings.ContainsAny(m.Host, " /:@") {
		problems = append(problems, at.Key("host").Problem("is no host name; want one like smtp.example.com, the port stands under port"))
	}
	if _, err := mail.ParseAddress(m.From); err != nil {
		problems = append(problems, lacking(at, "from", "is no mail address"))
	}
	if len(m.To) == 0 {
		problems = append(problems, lacking(at, "to", "names nobody"))
	}
	for i, to := range m.To {
		if _, err := mail.ParseAddress(to); err != nil {
			problems = append(problems, at.Key("to").Index(i).Problem("is no mail address"))
		}
	}
	switch {
	case m.Username != "" && m.Password.IsZero():
		problems = append(problems, lacking(at, "password", "is missing for this username"))
	case m.TLS == "none" && m.Username != "" && !slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, m.Host):
		problems = append(problems, at.Key("tls").Problem("would send the password readable over the net; want starttls or tls"))
	}
	return problems
}

// whenProblems reports a schedule that is none.
func (s Source) whenProblems(at Node) (problems []Problem) {
	if s.Cron == "" {
		if s.Zone != "" {
			problems = append(problems, at.Key("zone").Problem("is the time zone of cron, and there is no cron"))
		}
		return problems
	}
	if at.Key("every").node != nil {
		problems = append(problems, at.Key("every").Problem("every and cron are both given; keep one"))
	}
	if _, err := schedule.Zone(s.Zone); err != nil {
		return append(problems, at.Key("zone").Problem("%s %s", at.Key("zone").describe(), err))
	}
	if _, err := schedule.Cron(s.Cron, s.Zone, s.Name); err != nil {
		problems = append(problems, at.Key("cron").Problem("is %s, %s", at.Key("cron").describe(), err))
	}
	return problems
}

// Plan is when the source is pulled; uid spreads sources that share one plan.
func (s Source) Plan(uid string) (schedule.Plan, error) {
	if s.Cron != "" {
		return schedule.Cron(s.Cron, s.Zone, uid)
	}
	every := s.Every
	if every <= 0 {
		every = defaultEvery
	}
	return schedule.Every(time.Duration(every), uid), nil
}
