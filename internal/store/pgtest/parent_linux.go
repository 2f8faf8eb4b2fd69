package pgtest

import "syscall"

// parentDies asks the kernel to stop the server when this process dies. The
// signal comes when the thread that started it ends, and Go ends no thread
// that is not locked.
func parentDies(who *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: who, Pdeathsig: syscall.SIGQUIT}
}
