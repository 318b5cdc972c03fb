package limits_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/limits"
)

// slowBody sends n bytes every time that has passed, until the context
// of its request ends.
type slowBody struct {
	ctx   context.Context
	every time.Duration
	n     int
	total int
	here  int // bytes that have arrived
}

func (b *slowBody) Read(p []byte) (int, error) {
	if b.total == 0 {
		return 0, io.EOF
	}
	if b.here == 0 {
		if err := wait(b.ctx, b.every); err != nil {
			return 0, err
		}
		b.here = b.n
	}
	n := min(b.here, len(p), b.total)
	copy(p[:n], bytes.Repeat([]byte("<a"), n/2+1))
	b.here -= n
	b.total -= n
	return n, nil
}

func (b *slowBody) Close() error { return nil }

// wait waits, or until ctx ends.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// sending makes a transport that answers with a slow body.
func sending(status, n int, every time.Duration, total int) http.RoundTripper {
	return limits.Transport(roundTripper(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: &slowBody{ctx: r.Context(), every: every, n: n, total: total}}, nil
	}))
}

// Time is that of the test: nothing here waits.
func TestSlowAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status    int
		operation limits.Operation
		n         int
		every     time.Duration
		within    time.Duration // the limit takes effect
		says      string
	}{
		"Nothing":     {200, limits.Read, 1, time.Hour, 31 * time.Second, "sent nothing for 30s"},
		"AByte":       {200, limits.Read, 1, 5 * time.Second, 61 * time.Second, "sent 12 bytes in 1m0s, less than 1024 a second"},
		"AByteOfList": {200, limits.LongListXML, 1, 5 * time.Second, 61 * time.Second, "sent 12 bytes"},
		"AByteOf403":  {403, limits.Read, 1, 5 * time.Second, 61 * time.Second, "sent 12 bytes"},
		"AByteOfID":   {200, limits.SignIn, 1, 5 * time.Second, 61 * time.Second, "sent 12 bytes"},
		"LongAnswer":  {200, limits.LongListXML, 1100, time.Second, 601 * time.Second, "did not finish its answer in 10m0s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				_, err := send(t.Context(), sending(c.status, c.n, c.every, 1<<20), c.operation)
				wantError(t, err, providers.Unavailable, limits.CodeSlow, c.says)
				if took := time.Since(start); took > c.within {
					t.Errorf("took %s", took)
				}
			})
		})
	}
}

// A slow line works: 12 KB a second that four reads share, with pauses
// of 20 seconds.
func TestHonestSlowLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		got, err := send(t.Context(), sending(200, 60<<10, 20*time.Second, 10<<20), limits.Read)
		if err != nil || len(got) != 10<<20 {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	})
}

// A caller that takes its time is not the server's fault.
func TestSlowCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		transport := sending(200, 10, time.Millisecond, 100)
		req, err := http.NewRequestWithContext(limits.For(t.Context(), limits.Read), http.MethodGet, "http://storage.example/", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		for range 10 {
			if _, err := resp.Body.Read(make([]byte, 10)); err != nil {
				t.Fatal(err)
			}
			if err := wait(t.Context(), time.Hour); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// The end of the caller's context is not the server's fault either.
func TestCancelledAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := send(ctx, sending(200, 1, time.Hour, 1), limits.Read); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

// taking makes a transport that takes n bytes of a request's body every
// time that has passed, and then answers after a time.
func taking(n int, every, after time.Duration) http.RoundTripper {
	return limits.Transport(roundTripper(func(r *http.Request) (*http.Response, error) {
		for buffer := make([]byte, n); ; {
			_, err := r.Body.Read(buffer)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, err
			}
			if err := wait(r.Context(), every); err != nil {
				return nil, err
			}
		}
		if err := wait(r.Context(), after); err != nil {
			return nil, err
		}
		return &http.Response{StatusCode: http.StatusCreated, Header: http.Header{}, Body: http.NoBody}, nil
	}))
}

func put(ctx context.Context, transport http.RoundTripper, body io.Reader) error {
	req, err := http.NewRequestWithContext(limits.For(ctx, limits.Write), http.MethodPut, "http://storage.example:9000/", body)
	if err != nil {
		return err
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

func TestSlowUploads(t *testing.T) {
	t.Parallel()
	for name, transport := range map[string]func() http.RoundTripper{
		"TakesNothing": func() http.RoundTripper { return taking(32<<10, time.Hour, 0) },
		"SaysNothing":  func() http.RoundTripper { return taking(32<<10, 0, time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				err := put(t.Context(), transport(), bytes.NewReader(make([]byte, 1<<20)))
				wantError(t, err, providers.Unavailable, limits.CodeSlow, "took no byte for 1m0s")
				if took := time.Since(start); took > 61*time.Second {
					t.Errorf("took %s", took)
				}
			})
		})
	}
}

// An upload whose own body is slow, over a slow line, succeeds.
func TestHonestSlowUpload(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		body := &slowBody{ctx: t.Context(), every: 10 * time.Minute, n: 32 << 10, total: 1 << 20}
		if err := put(t.Context(), taking(32<<10, 30*time.Second, 25*time.Second), body); err != nil {
			t.Error(err)
		}
	})
}
