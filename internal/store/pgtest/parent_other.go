//go:build !linux

package pgtest

import "syscall"

// parentDies has no counterpart here: a killed test leaves its server behind.
func parentDies(who *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: who}
}
