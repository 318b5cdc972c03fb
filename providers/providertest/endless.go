package providertest

import (
	"bytes"
	"compress/gzip"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// Endless is an answer without end: a beginning, and what is repeated
// after it.
type Endless struct {
	Header       http.Header
	Begin, Again string
}

// maxEndlessMemory bounds what all operations on endless answers may
// take, one after the other, in bytes. On an idle machine it is 60 MiB at
// most; on a busy one the garbage collector falls behind.
const maxEndlessMemory = 192 << 20

// compressed returns an answer without end that a decoder of gzip would
// make a thousand times as long.
func compressed(header http.Header) Endless {
	var content bytes.Buffer
	w := gzip.NewWriter(&content)
	_, err := w.Write(make([]byte, 1<<20))
	if err = errors.Join(err, w.Close()); err != nil {
		return Endless{Again: err.Error()} // never: a buffer takes everything
	}
	header = maps.Clone(header)
	if header == nil {
		header = http.Header{}
	}
	header.Set("Content-Encoding", "gzip")
	return Endless{Header: header, Again: content.String()}
}

// RunEndless checks that every operation and every check of a bucket
// ends with little memory when its server answers without end; a listing
// and an upload end with an error. It adds an answer that is compressed.
// No request may lack its operation (package limits). open opens the
// bucket "b" at an endpoint, without repeating requests. RunEndless must
// not run beside other tests, because it measures the memory of the
// process.
func RunEndless(
	t *testing.T, answers map[string]Endless, open func(endpoint string) providers.Bucket,
) {
	answers = maps.Clone(answers)
	for _, a := range answers { // all have the same header
		answers["Compressed"] = compressed(a.Header)
		break
	}
	for name, answer := range answers {
		for _, status := range []int{
			http.StatusOK, http.StatusForbidden, http.StatusServiceUnavailable,
		} {
			t.Run(name+"/"+http.StatusText(status), func(t *testing.T) {
				server := httptest.NewServer(answer.handler(status))
				defer server.Close()
				peak := measure(t, func() { useEndless(t, open(server.URL)) })
				if peak > maxEndlessMemory {
					t.Errorf("took %d MiB", peak>>20)
				}
				t.Logf("took %d MiB", peak>>20)
			})
		}
	}
}

func (e Endless) handler(status int) http.HandlerFunc {
	again := strings.Repeat(e.Again, (32<<10)/len(e.Again)+1)
	return func(w http.ResponseWriter, r *http.Request) {
		for name, values := range e.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(status)
		if r.Method == http.MethodHead {
			return
		}
		_, err := w.Write([]byte(e.Begin))
		for err == nil {
			_, err = w.Write([]byte(again))
		}
	}
}

// useEndless makes each operation. An error is not wanted of those that
// get all they need from a header.
func useEndless(t *testing.T, b providers.Bucket) {
	t.Helper()
	errs := Operations(t.Context(), b)
	errs["upload"] = Operation(t.Context(), b, "upload")
	errs["conditions"] = providers.CheckConditions(t.Context(), b)
	if errs["list"] == nil || errs["upload"] == nil {
		t.Errorf("list: %v, upload: %v", errs["list"], errs["upload"])
	}
	need := tasks.Need{Read: true, Write: true, Versions: true, KMS: true}
	for _, c := range providers.Probe(t.Context(), b, need) {
		errs["check "+c.ID] = errors.New(c.Code + " " + c.Evidence)
	}
	for op, err := range errs {
		if err != nil && strings.Contains(err.Error(), "NoOperation") {
			t.Errorf("%s: %v", op, err)
		}
	}
}

// measure returns how much the heap grows at most while do runs.
func measure(t *testing.T, do func()) int64 {
	t.Helper()
	runtime.GC()
	var now runtime.MemStats
	runtime.ReadMemStats(&now)
	before, peak := int64(now.HeapAlloc), int64(0)
	done := make(chan struct{})
	go func() { do(); close(done) }()
	for tick := time.NewTicker(10 * time.Millisecond); ; {
		select {
		case <-done:
			tick.Stop()
			return peak
		case <-tick.C:
			runtime.ReadMemStats(&now)
			peak = max(peak, int64(now.HeapAlloc)-before)
		}
	}
}
