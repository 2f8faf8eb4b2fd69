package web

import (
	"context"
	"net/http"
	"time"
)

// whyBound is how long one explanation may take.
const whyBound = 10 * time.Second

// whyAPI answers GET /api/why?a=…&b=…: why are two records one customer, or two?
// It shows their values, to whom the pages do.
func (s *server) whyAPI(w http.ResponseWriter, r *http.Request) {
	if !s.opts.ShowValues {
		s.refuse(w, http.StatusForbidden, apiError{Text: "customers' data is not shown here", TextZh: "这里不显示客户数据"})
		return
	}
	q := r.URL.Query()
	for _, name := range [...]string{"a", "b"} {
		if q.Get(name) == "" {
			s.refuse(w, http.StatusBadRequest, apiError{
				Field: name, Text: name + " is missing; want a golden id or a source record: source/entity/id", TextZh: "缺少 " + name + "；请给出黄金记录编号，或 来源/类型/编号",
			})
			return
		}
	}
	ctx, cancel := context.WithTimeout(r.Context(), whyBound)
	defer cancel()
	answer, goldens, err := s.opts.LookUp.WhyShown(ctx, q.Get("a"), q.Get("b"))
	if err == nil {
		err = s.opts.LookUp.Seen(ctx, who(r.Context()), "read.why", goldens)
	}
	if err != nil {
		s.failed(w, r, "why", err)
		return
	}
	s.answer(w, http.StatusOK, answer)
}
