package limits_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stevedore-jobs/stevedore/providers/limits"
)

// pages makes a transport that answers each request with the body that
// its URL names.
func pages(bodies map[string]func(context.Context) io.Reader) http.RoundTripper {
	return limits.Transport(roundTripper(func(r *http.Request) (*http.Response, error) {
		body := io.NopCloser(bodies[r.URL.Path](r.Context()))
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: body}, nil
	}))
}

func page(context.Context) io.Reader { return strings.NewReader(strings.Repeat("<a>", 1000)) }

// open requests the page of a listing of its own.
func open(t *testing.T, tr http.RoundTripper, o limits.Operation, path string) (io.Reader, *limits.Turn) {
	t.Helper()
	ctx, turn := limits.WithTurn(limits.For(t.Context(), o))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://storage.example"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp.Body, turn
}

// decoders is how many listings may decode at once.
func decoders() int { return max(1, runtime.GOMAXPROCS(0)-1) }

// One listing more than there are turns waits until another one leaves,
// or has had its turn for a second.
func TestTurns(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		operation limits.Operation
		leaves    bool
		waits     time.Duration
	}{
		"XML":     {limits.ListXML, true, 0},
		"JSON":    {limits.ListJSON, true, 0},
		"LongXML": {limits.LongListXML, true, 0},
		"Expires": {limits.ListXML, false, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tr := pages(map[string]func(context.Context) io.Reader{"/": page})
				var turns []*limits.Turn
				for range decoders() {
					body, turn := open(t, tr, c.operation, "/")
					if got, err := io.ReadAll(body); len(got) != 3000 || err != nil {
						t.Errorf("%d bytes, %v", len(got), err)
					}
					turns = append(turns, turn)
				}

				begun, decoded := time.Now(), make(chan error, 1)
				body, turn := open(t, tr, c.operation, "/")
				go func() {
					_, err := io.ReadAll(body)
					decoded <- err
				}()
				if synctest.Wait(); len(decoded) > 0 {
					t.Error("it did not wait")
				}
				if c.leaves {
					turns[0].Leave()
				}
				if err := <-decoded; err != nil || time.Since(begun) != c.waits {
					t.Errorf("waited %s, %v", time.Since(begun), err)
				}
				for _, turn := range append(turns, turn) {
					turn.Leave()
					turn.Leave() // does nothing
				}
			})
		})
	}
}

// A listing that waits for its server has no turn meanwhile, and other
// requests need none.
func TestTurns_OnlyForWhatHasArrived(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tr := pages(map[string]func(context.Context) io.Reader{
			"/": page,
			"/slow": func(ctx context.Context) io.Reader {
				first := strings.Repeat("<a>", 30_000)
				return io.MultiReader(strings.NewReader(first), &slowBody{ctx: ctx, every: 20 * time.Second, n: 2, total: 2})
			},
		})
		begun := time.Now()
		for range decoders() {
			body, _ := open(t, tr, limits.ListXML, "/slow")
			go func() { _, _ = io.ReadAll(body) }()
		}
		synctest.Wait()
		for _, o := range []limits.Operation{limits.ListXML, limits.Read, limits.Describe} {
			body, turn := open(t, tr, o, "/")
			if _, err := io.ReadAll(body); err != nil || time.Since(begun) != 0 {
				t.Errorf("operation %d: waited %s, %v", o, time.Since(begun), err)
			}
			defer turn.Leave()
		}
	})
}

// A page that breaks off is read up to there, and then fails as without
// a turn. A listing that waits for its turn ends with its context.
func TestTurns_Failures(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	tr := pages(map[string]func(context.Context) io.Reader{
		"/early": func(ctx context.Context) io.Reader {
			return io.MultiReader(page(ctx), iotest.ErrReader(io.ErrUnexpectedEOF))
		},
		"/broken": func(ctx context.Context) io.Reader { return io.MultiReader(page(ctx), iotest.ErrReader(broken)) },
		"/":       page,
	})
	for path, want := range map[string]error{"/early": io.ErrUnexpectedEOF, "/broken": broken} {
		body, turn := open(t, tr, limits.ListXML, path)
		got, err := io.ReadAll(body)
		if turn.Leave(); len(got) != 3000 || !errors.Is(err, want) {
			t.Errorf("%s: %d bytes, %v", path, len(got), err)
		}
	}

	synctest.Test(t, func(t *testing.T) {
		tr := pages(map[string]func(context.Context) io.Reader{"/b": page})
		for range decoders() {
			body, _ := open(t, tr, limits.ListXML, "/b")
			_, _ = body.Read(make([]byte, 1))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		ctx, _ = limits.WithTurn(ctx)
		begun := time.Now()
		if _, _ = send(ctx, tr, limits.ListXML); time.Since(begun) != time.Millisecond {
			t.Errorf("waited %s", time.Since(begun))
		}
	})
}
