// Package bench measures the whole path on made-up companies. Its figures stand
// in docs/benchmarks.md.
package bench
