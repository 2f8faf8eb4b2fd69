package app

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"touchstone/config"
	"touchstone/internal/httpx"
)

// webhook sends alerts as JSON, signed as https://www.standardwebhooks.com
// (version 1) says: HMAC-SHA256 over "id.timestamp.body".
type webhook struct {
	a   *App
	cfg config.AlertWebhook
}

func (webhook) name() string { return channelHook }

// alertBody is what the receiver gets.
type alertBody struct {
	Type      string    `json:"type"`
	Timestamp string    `json:"timestamp"`
	Data      alertData `json:"data"`
}

type alertData struct {
	Rule    string `json:"rule"`
	Subject string `json:"subject,omitempty"`
	Text    string `json:"text"`
	Began   string `json:"began"`
	Ended   string `json:"ended,omitempty"`
	Host    string `json:"host"`
}

func (w webhook) send(ctx context.Context, m message) error {
	body, err := json.Marshal(alertBody{m.kind, m.at.Format(time.RFC3339), alertData{m.Rule, m.Subject, m.Text, m.Began, m.Ended, hostName()}})
	if err != nil {
		return fmt.Errorf("write alert: %w", err)
	}
	return w.a.post(ctx, w.cfg, m.id, m.at, body)
}

// post sends one message to a webhook, signed.
func (a *App) post(ctx context.Context, cfg config.AlertWebhook, id string, at time.Time, body []byte) error {
	stamp := strconv.FormatInt(at.Unix(), 10)
	client, err := httpx.New(a.opts.Env, httpx.Config{Timeout: alertSendBound / 2, MaxBody: 64 << 10})
	if err != nil {
		return errors.New("the webhook's address is none")
	}
	answer, err := client.Do(ctx, httpx.Request{
		Method: http.MethodPost, URL: cfg.URL.Reveal(), Body: body,
		Header: http.Header{
			"Content-Type": {"application/json"}, "User-Agent": {"touchstone"},
			"Webhook-Id": {id}, "Webhook-Timestamp": {stamp}, "Webhook-Signature": {sign(cfg.Secret.Reveal(), id, stamp, body)},
		},
	})
	var failed *httpx.Error
	switch {
	case errors.As(err, &failed):
		return errors.New("the webhook cannot be reached: " + failed.Reason) // without its address, which often is a secret
	case err != nil:
		return errors.New("the webhook cannot be reached")
	case answer.Status < 200 || answer.Status > 299:
		return fmt.Errorf("the webhook answered %d", answer.Status)
	}
	return nil
}

// sign gives the header's value. A secret that begins with whsec_ is base64,
// any other is taken as it stands.
func sign(secret, id, stamp string, body []byte) string {
	key := []byte(secret)
	if text, ok := strings.CutPrefix(secret, "whsec_"); ok {
		if k, err := base64.StdEncoding.DecodeString(text); err == nil {
			key = k
		}
	}
	h := hmac.New(sha256.New, key)
	h.Write([]byte(id + "." + stamp + "."))
	h.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(h.Sum(nil))
}

func hostName() string {
	h, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return h
}

// mailer sends alerts by mail.
type mailer struct {
	a   *App
	cfg config.AlertMail
}

func (mailer) name() string { return channelMail }

func (s mailer) send(ctx context.Context, m message) error {
	msg := mail.NewMsg()
	if err := errors.Join(msg.From(s.cfg.From), msg.To(s.cfg.To...)); err != nil {
		return errors.New("an address of the mail is none")
	}
	begin := map[string]string{alertBegan: "Alert", alertLasts: "Still", alertEnded: "Over"}
	msg.Subject(fmt.Sprintf("[touchstone] %s: %s %s", cmp.Or(begin[m.kind], "Test"), m.Rule, m.Subject))
	msg.SetDateWithValue(m.at)
	msg.SetMessageIDWithValue(m.id + "@touchstone." + hostName())
	text := m.Text + "\n\nrule: " + m.Rule + "\nbegan: " + m.Began + "\n"
	if m.Ended != "" {
		text = "This is over: " + text + "ended: " + m.Ended + "\n"
	}
	msg.SetBodyString(mail.TypeTextPlain, text+"host: "+hostName()+"\n\nMore: touchstone status\n")
	client, err := mail.NewClient(s.cfg.Host, s.options()...)
	if err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	if err := client.DialAndSendWithContext(ctx, msg); err != nil {
		return fmt.Errorf("mail server %s: %w", s.cfg.Host, err)
	}
	return nil
}

func (s mailer) options() []mail.Option {
	port := map[string]int{"tls": 465, "none": 25}[s.cfg.TLS]
	list := []mail.Option{mail.WithPort(cmp.Or(s.cfg.Port, port, 587)), mail.WithTimeout(alertSendBound / 2)}
	switch s.cfg.TLS {
	case "tls":
		list = append(list, mail.WithSSL())
	case "none":
		list = append(list, mail.WithTLSPolicy(mail.NoTLS))
	default:
		list = append(list, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if s.cfg.Username != "" {
		list = append(list, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(s.cfg.Username), mail.WithPassword(s.cfg.Password.Reveal()))
	}
	return list
}
