package s3_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/providertest/servers"
	"github.com/stevedore-jobs/stevedore/providers/s3"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3test"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// withoutConditions stands in front of the emulator, and refuses every
// write with a condition as Alibaba OSS does.
type withoutConditions struct {
	refused *atomic.Int64
	knows   string // a header that it does not refuse; may be empty
}

func (w withoutConditions) RoundTrip(r *http.Request) (*http.Response, error) {
	refuses := func(header string) bool { return header != w.knows && r.Header.Get(header) != "" }
	if r.Method == http.MethodGet || !refuses("If-None-Match") && !refuses("If-Match") {
		return http.DefaultTransport.RoundTrip(r)
	}
	w.refused.Add(1)
	const answer = `<Error><Code>NotImplemented</Code><Message>A header you provided implies ` +
		`functionality that is not implemented.</Message><Header>If-None-Match</Header></Error>`
	return &http.Response{
		StatusCode: http.StatusNotImplemented, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/xml"}}, Request: r,
		Body: io.NopCloser(strings.NewReader(answer)),
	}, nil
}

// openWithoutConditions opens a new bucket behind withoutConditions.
func openWithoutConditions(t *testing.T, server servers.S3Server, unconditional bool) (providers.Bucket, *atomic.Int64) {
	t.Helper()
	s, secrets := s3test.Storage(t, server.Endpoint, server.Bucket(t), server.Root)
	s.UnconditionalPut = unconditional
	refused := &atomic.Int64{}
	client := &http.Client{Transport: withoutConditions{refused: refused}}
	return s3test.Open(t, &s3.Opener{Client: client}, s, secrets), refused
}

// A server without conditional PUT is named by the verification, by the
// look that jobs take before they begin, and by the write itself.
func TestNoConditionalPut(t *testing.T) {
	t.Parallel()
	b, _ := openWithoutConditions(t, servers.S3(t), false)
	c := s3test.Probe(t, b, tasks.Need{Write: true})["write"]
	if c.Status != tasks.CheckFail || c.Code != "NoConditionalPut" || !strings.Contains(c.Fix, "unconditional_put") {
		t.Errorf("got %+v", c)
	}
	small := strings.NewReader("x")
	large := io.LimitReader(zeros{}, 9<<20)
	_, smallErr := b.Put(t.Context(), "small", small, providers.WriteOptions{IfAbsent: true})
	_, largeErr := b.Put(t.Context(), "large", large, providers.WriteOptions{IfMatch: "e"})
	for at, err := range map[string]error{
		"look": providers.CheckConditions(t.Context(), b), "small": smallErr, "large": largeErr,
	} {
		var e *providers.Error
		if !errors.As(err, &e) || e.Code != "NoConditionalPut" || e.Kind != providers.Invalid || !strings.Contains(e.Fix, "unconditional_put") {
			t.Errorf("%s: got %v", at, err)
		}
	}
	s3test.CheckCount(t, b, 0)
}

// A server that only knows If-None-Match is named too: the second run of a
// job could not replace the result of the first.
func TestNoIfMatch(t *testing.T) {
	t.Parallel()
	server := servers.S3(t)
	s, secrets := s3test.Storage(t, server.Endpoint, server.Bucket(t), server.Root)
	client := &http.Client{Transport: withoutConditions{&atomic.Int64{}, "If-None-Match"}}
	b := s3test.Open(t, &s3.Opener{Client: client}, s, secrets)
	if err := providers.CheckConditions(t.Context(), b); !errors.Is(err, providers.Invalid) {
		t.Errorf("got %v", err)
	}
	if c := s3test.Probe(t, b, tasks.Need{Write: true})["write"]; c.Code != "NoConditionalPut" || c.Status != tasks.CheckFail {
		t.Errorf("got %+v", c)
	}
}

// With unconditional_put the server gets no condition, and Put checks it
// before it writes.
func TestUnconditionalPut(t *testing.T) {
	t.Parallel()
	b, refused := openWithoutConditions(t, servers.S3(t), true)
	put := func(content string, opts providers.WriteOptions) (providers.Object, error) {
		return b.Put(t.Context(), "k", strings.NewReader(content), opts)
	}
	first, err := put("first", providers.WriteOptions{IfAbsent: true})
	if err != nil {
		t.Fatal(err)
	}
	second, err := put("second", providers.WriteOptions{IfMatch: first.ETag})
	if err != nil {
		t.Fatal(err)
	}
	for _, opts := range []providers.WriteOptions{
		{IfAbsent: true}, {IfMatch: first.ETag}, {IfAbsent: true, IfMatch: second.ETag},
	} {
		if _, err := put("third", opts); !errors.Is(err, providers.Conflict) {
			t.Errorf("%+v: got %v", opts, err)
		}
	}
	if _, err := b.Put(t.Context(), "missing", strings.NewReader("x"), providers.WriteOptions{IfMatch: first.ETag}); !errors.Is(err, providers.Conflict) {
		t.Errorf("a missing key: got %v", err)
	}
	if text, err := s3test.ReadAll(t.Context(), b, providers.ReadOptions{}); err != nil || text != "second" {
		t.Errorf("got %q, %v", text, err)
	}
	if err := providers.CheckConditions(t.Context(), b); err != nil {
		t.Error(err)
	}
	if c := s3test.Probe(t, b, tasks.Need{Write: true})["write"]; c.Status != tasks.CheckOK {
		t.Errorf("got %+v", c)
	}
	if refused.Load() != 0 {
		t.Errorf("%d requests with a condition", refused.Load())
	}
}

// A server that knows the conditions passes the look, which leaves
// nothing behind.
func TestCheckConditions(t *testing.T) {
	t.Parallel()
	server := servers.S3(t)
	b := s3test.OpenAt(t, server.Endpoint, server.Bucket(t), server.Root)
	if err := providers.CheckConditions(t.Context(), b); err != nil {
		t.Error(err)
	}
	s3test.CheckCount(t, b, 0)
}

// zeros is an endless body.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }
