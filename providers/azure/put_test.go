package azure_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/azure"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// If a server fails an upload before it has read the body, the second
// attempt sends the whole body.
func TestPut_RetriesTheWholeBody(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat([]byte("0123456789abcdef"), 128<<10)
	var requests atomic.Int64
	b := open(t, tasks.AuthSAS, serve(t, func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) == 1 {
			w.Header().Set("Connection", "close")
			refusal{500, "InternalError", "The server encountered an internal error.", ""}.answer(w, r)
			return
		}
		got, err := io.ReadAll(r.Body)
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("got %d bytes, %v; want %d", len(got), err, len(content))
		}
		w.Header().Set("X-Ms-Request-Id", requestID)
		w.Header().Set("ETag", `"e"`)
		w.WriteHeader(http.StatusCreated)
	}), "c", unverified().SAS())
	o, err := b.Put(t.Context(), "k", bytes.NewReader(content), providers.WriteOptions{})
	if err != nil || o.Size != int64(len(content)) || o.ETag != "e" || requests.Load() != 2 {
		t.Errorf("put returned %+v, %v, after %d requests", o, err, requests.Load())
	}
}

// Once a block has failed, Put does not read on.
func TestPut_StopsReading(t *testing.T) {
	t.Parallel()
	b := openOnce(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // otherwise the connection may break before the client reads the answer
		refusal{403, "AuthorizationPermissionMismatch", "no", ""}.answer(w, r)
	}), unverified().SAS())
	body := &counter{from: io.LimitReader(zeros{}, 1<<30)}
	_, err := b.Put(t.Context(), "k", body, providers.WriteOptions{})
	if providers.KindOf(err) != providers.Denied || !strings.Contains(err.Error(), "AuthorizationPermissionMismatch") {
		t.Errorf("got %v", err)
	}
	if body.n > 256<<20 {
		t.Errorf("%d bytes were read for nothing", body.n)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

type counter struct {
	from io.Reader
	n    int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.n += int64(n)
	return n, err
}

// A panic in the goroutine that sends a block does not end the process.
func TestPut_PanicsInTheCallersGoroutine(t *testing.T) {
	t.Parallel()
	s, secrets := storage(t, tasks.AuthSAS, "https://devstoreaccount1.blob.core.windows.net", "c", unverified().SAS())
	client := providertest.PanicAt(func(r *http.Request) bool { return r.URL.Query().Get("comp") == "block" }, http.NotFound)
	b, err := (&azure.Opener{Client: client}).Open(t.Context(), s, secrets)
	if err != nil {
		t.Fatal(err)
	}
	providertest.RunPanic(t, b, 20<<20)
}
