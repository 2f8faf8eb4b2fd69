//go:build !cgo

package store

// SQLite is C: without a C compiler the program would build and fail at its
// first query, so it does not build.
var _ = touchstone_needs_a_C_compiler_set_CGO_ENABLED_1_and_install_gcc
