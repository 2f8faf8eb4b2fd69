package config

import (
	_ "embed"
)

// SampleCSV is the name under which the sample configuration expects the sample data.
const SampleCSV = "customers.csv"

//go:embed sample/touchstone.yaml
var sampleYAML string

//go:embed sample/customers.csv
var sampleData string

// Sample gives a first configuration, every line explained, and the data that
// it reads, to be written beside it as SampleCSV.
func Sample() (yaml, csv []byte) { return []byte(sampleYAML), []byte(sampleData) }
