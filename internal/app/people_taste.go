package app

import (
	"context"
	"encoding/json"
	"fmt"

	"touchstone/internal/web"
)

// tasteSetting names the setting that keeps how an account wants the pages.
func tasteSetting(account string) string { return "taste " + account }

// SetTaste keeps how the visitor wants the pages.
func (p *People) SetTaste(ctx context.Context, v web.Visit, t web.Taste) error {
	if err := t.Check(); err != nil {
		return err
	}
	b, err := json.Marshal(t)
	if err == nil {
		err = p.db.SetSetting(ctx, tasteSetting(v.Account), string(b))
	}
	if err != nil {
		return fmt.Errorf("keep how pages look: %w", err)
	}
	return nil
}

// taste reads how an account wants the pages; what is kept and unknown by now
// (a language that is no more) counts as not chosen.
func (p *People) taste(ctx context.Context, account string) (t web.Taste, err error) {
	text, err := p.db.Setting(ctx, tasteSetting(account))
	if err != nil || text == "" {
		return t, err
	}
	if json.Unmarshal([]byte(text), &t) != nil || t.Check() != nil {
		return web.Taste{}, nil
	}
	return t, nil
}
