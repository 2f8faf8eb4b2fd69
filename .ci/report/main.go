// Command report runs "go test -json", prints what a person wants to read of it,
// and counts the tests. It fails when a test fails, when a package does not
// build, and when a test was skipped: what is not run is not proven.
//
//	report [-count FILE] go test -json ./...
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

func main() {
	count := flag.String("count", "", "file that receives: passed failed")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, flag.Args(), os.Stdout, *count)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer, count string) error {
	if len(args) == 0 {
		return fmt.Errorf("no command to run")
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...) //nolint:gosec // running what the caller names is its purpose
	cmd.Stderr = os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("read the tests' output: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the tests: %w", err)
	}
	t, readErr := summarise(pipe, out)
	runErr := cmd.Wait()
	if runErr != nil && t.failed == 0 {
		t.failed = 1 // it could not even say which
	}
	if count != "" {
		if err := os.WriteFile(count, fmt.Appendf(nil, "%d %d\n", t.passed, t.failed), 0o600); err != nil {
			return fmt.Errorf("write the count: %w", err)
		}
	}
	switch {
	case readErr != nil:
		return readErr
	case runErr != nil:
		return fmt.Errorf("tests: %w", runErr)
	}
	return t.verdict()
}
