package rest

import (
	"touchstone/config"
)

// Write is a request that changes one object, or with batch many.
type Write struct {
	Method      string      `yaml:"method" oneof:"POST PUT PATCH" doc:"POST, PUT or PATCH"`
	Path        string      `yaml:"path" doc:"below base_url; {{ id }}, {{ key }} are filled in and escaped" example:"/companies"`
	Query       []Named     `yaml:"query" doc:"query parameters; one whose value is empty is left out"`
	Body        config.Tree `yaml:"body" doc:"what the body holds beside the fields, with {{ id }} and {{ key }}" example:"{type: company}"`
	Wrap        string      `yaml:"wrap" doc:"the member of the body that the fields stand below, dotted; at its top if absent" example:"user"`
	ExternalKey string      `yaml:"external_key" doc:"the field that takes our key for the object" example:"external_id"`
	AllText     bool        `yaml:"all_text" doc:"numbers, true and false are sent as texts, and an empty text clears a field"`
	Record      config.Expr `yaml:"record" doc:"the object in the answer, over body; the whole body if absent" example:"body"`
	Batch       Batch       `yaml:"batch" doc:"how many objects are written by one request"`
}

// Batch is a request that writes many objects.
type Batch struct {
	At      config.Node
	Method  string      `yaml:"method" default:"POST" oneof:"POST PUT PATCH" doc:"POST, PUT or PATCH"`
	Path    string      `yaml:"path" doc:"below base_url" example:"/companies/batch/update"`
	Query   []Named     `yaml:"query" doc:"query parameters"`
	Max     int         `yaml:"max" default:"100" min:"2" max:"10000" doc:"the most objects in one request"`
	Items   string      `yaml:"items" doc:"the member of the body that is the list of objects, dotted" example:"inputs"`
	Item    config.Tree `yaml:"item" doc:"what an entry holds beside the fields, with {{ id }}, {{ key }} and {{ place }}, its place in the list from 0" example:"{id: \"{{ id }}\"}"`
	Wrap    string      `yaml:"wrap" doc:"the member of an entry that the fields stand below; at its top if absent" example:"properties"`
	Results config.Expr `yaml:"results" doc:"the entries that were written, or all with their outcome, over body" example:"body.results"`
	Success config.Expr `yaml:"success" doc:"whether an entry of results was written, over result; all were if absent" example:"result.success == true"`
	Errors  config.Expr `yaml:"errors" doc:"the entries that were refused, over body; error_handler sees each as body" example:"body.errors"`
	By      string      `yaml:"by" default:"id" oneof:"id key place" doc:"what tells which entry a result is of: the object's id, our key, or its place from 0"`
	Ref     config.Expr `yaml:"ref" doc:"that id, key or place, over result: of an entry of results or errors; a list for several. Entries without one go by their order if results has as many as were sent" example:"result.id"`
	ID      config.Expr `yaml:"id" doc:"the object's id, over result; id of the stream over it if absent" example:"result.id"`
	Job     Job         `yaml:"job" doc:"for systems that answer before they have written: how the end is waited for"`
}

// Job is work that a system does after its answer.
type Job struct {
	ID      config.Expr     `yaml:"id" doc:"the job's id, over body of the answer" example:"body.job_status.id"`
	Path    string          `yaml:"path" doc:"what is asked about the job, below base_url; {{ job }} is its id" example:"/job_statuses/{{ job }}.json"`
	Done    config.Expr     `yaml:"done" doc:"true when it has ended, over body" example:"body.job_status.status == \"completed\""`
	Failed  config.Expr     `yaml:"failed" doc:"true when it was given up; what it did then is unknown" example:"body.job_status.status == \"failed\""`
	Every   config.Duration `yaml:"every" default:"1s" min:"10ms" max:"1m" doc:"how often it is asked about, at first; then ever less often"`
	Timeout config.Duration `yaml:"timeout" default:"2m" min:"1s" max:"30m" doc:"how long its end is waited for; then the outcome is unknown"`
}
