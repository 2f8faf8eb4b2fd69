package httpx

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// readBody reads the whole body, inflated, and not one byte more than limit.
func readBody(resp *http.Response, method string, limit int64) ([]byte, error) {
	if method == http.MethodHead || resp.StatusCode == http.StatusNoContent || resp.StatusCode == http.StatusNotModified {
		return nil, nil
	}
	coding := strings.ToLower(strings.TrimSpace(resp.Header.Get("Content-Encoding")))
	switch coding {
	case "", "identity":
		return readLimited(resp.Body, limit)
	case "gzip", "x-gzip":
	default:
		return nil, &bodyError{"the answer's body has an encoding that was not asked for", nil}
	}
	raw := &countingReader{r: resp.Body}
	z, err := gzip.NewReader(raw)
	if errors.Is(err, io.EOF) && raw.n == 0 {
		return nil, nil // a body of nothing
	}
	if err != nil {
		return nil, cut(err)
	}
	return readLimited(z, limit)
}

func readLimited(r io.Reader, limit int64) ([]byte, error) {
	var b bytes.Buffer
	n, err := b.ReadFrom(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, cut(err)
	}
	if n > limit {
		return nil, &bodyError{fmt.Sprintf("the answer's body has more than %d bytes", limit), ErrTooLarge}
	}
	return b.Bytes(), nil
}

// cut names what ended a body early. net/http checks the length, gzip its sum.
func cut(err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return &bodyError{"the answer's body is cut short", ErrCut}
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum):
		return &bodyError{"the answer's body is not the gzip it says it is", ErrCut}
	}
	return err
}

type bodyError struct {
	text  string
	cause error
}

func (e *bodyError) Error() string { return e.text }
func (e *bodyError) Unwrap() error { return e.cause }

type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
