package config

// What a record's staying away means.
const (
	MissingDelete = "delete"
	MissingKeep   = "keep"
)

// Deletes says when a record that no longer comes counts as deleted.
type Deletes struct {
	Missing string   `yaml:"missing" default:"delete" oneof:"delete keep" doc:"delete: a record that stays away from two whole passes counts as deleted. keep: it stays as it was, for files that hold changes only."`
	Grace   Duration `yaml:"grace" default:"24h" min:"0s" max:"365d" doc:"The least time between the pass that a record stayed away from first and the one that deletes it."`
	Brake   Percent  `yaml:"brake" default:"10%" doc:"When more than ten records, and more than this share of the source's, would be deleted in one pass, none is until a person lets it: touchstone source allow-deletes NAME."`
}
