package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"touchstone/internal/auth"
	"touchstone/internal/env"
	"touchstone/internal/record"
)

// Change is the latest change of one golden id.
type Change struct {
	Seq    int64  `json:"seq" doc:"in commit order: who has read up to one misses nothing below it"`
	ID     string `json:"id"`
	Entity string `json:"entity"`
	Kind   string `json:"kind" enum:"saved,merged,gone" doc:"merged: its records belong to another golden record now; gone: no live record is left"`
	At     string `json:"at"`
}

// Changes is a part of the feed.
type Changes struct {
	Items []Change `json:"items"`
	Next  int64    `json:"next" doc:"ask again with after set to this; the same number when nothing new is there"`
}

const (
	// pollEvery is how often a waiting reader looks again.
	pollEvery = 500 * time.Millisecond
	// longestWait bounds waiting, below the daemon's write timeout.
	longestWait = 15
)

func (x *api) feed() {
	type in struct {
		Entity string `query:"entity" maxLength:"60"`
		After  int64  `query:"after" minimum:"0" doc:"0: from the beginning"`
		Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"200"`
		Wait   int    `query:"wait" minimum:"0" maximum:"15" doc:"seconds to wait for something new"`
	}
	add(x, op{http.MethodGet, "/changes", "listChanges", "The change feed: each golden id by its latest change, oldest change first. It carries no values", auth.See, auth.ByList, "Feed", 0},
		func(ctx context.Context, in *in) (*Body[Changes], error) {
			after := in.After
			end := x.opts.Env.Clock.Now().Add(time.Duration(min(in.Wait, longestWait)) * time.Second)
			for {
				list, upto, err := x.app.Changes(ctx, in.Entity, after, in.Limit)
				switch {
				case err != nil:
					return nil, err
				case len(list) > 0 || !x.opts.Env.Clock.Now().Before(end):
					out := Changes{Items: make([]Change, len(list)), Next: upto}
					for i, f := range list {
						out.Items[i] = Change(f)
					}
					return answer(out, nil)
				case upto > after: // nothing of theirs: look on behind it at once
					after = upto
					continue
				}
				if err := x.opts.Env.Clock.Sleep(ctx, pollEvery); err != nil {
					return nil, err
				}
			}
		})
}

// RecordID names a record of a source.
type RecordID struct {
	Source string `json:"source" minLength:"1" maxLength:"100"`
	Entity string `json:"entity" minLength:"1" maxLength:"60"`
	ID     string `json:"id" minLength:"1" maxLength:"400"`
}

// Crosswalked says where a record or a golden id leads.
type Crosswalked struct {
	Record  *RecordID  `json:"record,omitempty" doc:"as asked"`
	Asked   string     `json:"golden_asked,omitempty" doc:"as asked"`
	Golden  string     `json:"golden,omitempty" doc:"id of the golden record it belongs to now; absent where it is not known"`
	Moved   bool       `json:"moved,omitempty"`
	Members []RecordID `json:"members,omitempty" doc:"of a golden id that was asked for"`
}

// maxLookups is how many ids one request may ask for.
const maxLookups = 1000

func (x *api) crosswalk() {
	type in struct {
		Body struct {
			Records []RecordID `json:"records,omitempty" nullable:"false" maxItems:"1000" doc:"which golden records do these belong to?"`
			Goldens []string   `json:"goldens,omitempty" nullable:"false" maxItems:"200" doc:"which records are these made of? Old ids are answered too"`
		}
	}
	add(x, op{http.MethodPost, "/crosswalk", "lookUpIds", "Ids both ways, many at once: source records to golden ids, golden ids to source records", auth.See, auth.ByList, "Crosswalk", 0},
		func(ctx context.Context, in *in) (*Body[List[Crosswalked]], error) {
			if n := len(in.Body.Records) + len(in.Body.Goldens); n == 0 || n > maxLookups {
				return nil, wrong("body", "must ask for 1 to %d ids", maxLookups)
			}
			out := List[Crosswalked]{Items: []Crosswalked{}}
			refs := make([]record.Ref, len(in.Body.Records))
			for i, r := range in.Body.Records {
				refs[i] = record.Ref{Source: x.app.SourceUID(r.Source), Entity: r.Entity, ID: r.ID}
			}
			of, err := x.app.GoldensOf(ctx, refs)
			if err != nil {
				return nil, err
			}
			for i := range refs {
				out.Items = append(out.Items, Crosswalked{Record: &in.Body.Records[i], Golden: of[refs[i]]})
			}
			goldens, err := x.app.RecordsOf(ctx, in.Body.Goldens)
			if err != nil {
				return nil, err
			}
			for _, id := range in.Body.Goldens {
				c := Crosswalked{Asked: id, Golden: goldens[id].ID, Moved: goldens[id].ID != "" && goldens[id].ID != id}
				for _, r := range goldens[id].Records {
					c.Members = append(c.Members, RecordID{r.Source, r.Entity, r.ID})
				}
				out.Items = append(out.Items, c)
			}
			return answer(out, nil)
		})
}

func (x *api) exports() {
	type in struct {
		Entity string `query:"entity" maxLength:"60"`
	}
	x.mux.needs, x.mux.narrow = auth.Export, auth.ByList
	huma.Register(x.huma, huma.Operation{
		OperationID: "exportCustomers", Method: http.MethodGet, Path: Path + "/export", Summary: "Every live golden record, one JSON object a line", Tags: []string{"Feed"},
		Errors: []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusUnprocessableEntity, http.StatusTooManyRequests}, Extensions: map[string]any{"x-permission": string(auth.Export), "x-narrow": string(auth.ByList)},
		Responses: map[string]*huma.Response{"200": {Description: "JSON lines", Content: map[string]*huma.MediaType{"application/x-ndjson": {Schema: &huma.Schema{Type: "string"}}}}},
	}, func(ctx context.Context, in *in) (*huma.StreamResponse, error) {
		if err := x.seen(ctx, "export", "entity "+strconv.Quote(in.Entity)); err != nil {
			return nil, x.problem(ctx, "export", err)
		}
		return &huma.StreamResponse{Body: func(c huma.Context) {
			c.SetHeader("Content-Type", "application/x-ndjson")
			r, w := humago.Unwrap(c)
			// A long list takes longer than a page: each part has a minute.
			out := &patient{w}
			if err := x.app.Export(r.Context(), in.Entity, out); err != nil {
				x.opts.Log.ErrorContext(r.Context(), "export ended early", "err", err)
				panic(http.ErrAbortHandler) // the client must not take half for the whole
			}
		}}, nil
	})
}

// patient gives each part of a long answer its own time to leave.
type patient struct{ w http.ResponseWriter }

func (p *patient) Write(b []byte) (int, error) {
	_ = http.NewResponseController(p.w).SetWriteDeadline(env.Deadline(time.Minute)) // a writer without deadlines needs none
	return p.w.Write(b)
}
