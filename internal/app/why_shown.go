package app

import (
	"context"
	"errors"
	"slices"

	"touchstone/internal/lookup"
	"touchstone/internal/record"
)

// WhyShown is Why with its sentences in both languages, for programs.
func (a *App) WhyShown(ctx context.Context, x, y string) (any, []string, error) {
	w, err := a.Why(ctx, x, y)
	var no *Unclear
	if errors.As(err, &no) {
		return nil, nil, &lookup.Problem{En: no.Error(), Zh: "无法解释这两条记录：" + no.Error()}
	}
	if errors.Is(err, record.ErrNotFound) {
		return nil, nil, &lookup.Problem{En: err.Error(), Zh: "找不到：" + err.Error()}
	}
	if err != nil {
		return nil, nil, err
	}
	type words struct {
		En []string `json:"en"`
		Zh []string `json:"zh"`
	}
	answer := struct {
		Why
		Words words `json:"words"`
	}{w, words{w.Sentences("en"), w.Sentences("zh")}}
	return answer, slices.Compact([]string{w.GoldenA, w.GoldenB}), nil
}
