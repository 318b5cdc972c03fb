package limits_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/limits"
)

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// answer makes a transport that answers every request with a body.
func answer(status int, body io.Reader) http.RoundTripper {
	return limits.Transport(roundTripper(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(body), Request: r}, nil
	}))
}

// endless repeats a text after a beginning, and counts the bytes that
// were read.
type endless struct {
	begin, again string
	read         int64
}

func (e *endless) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if e.begin == "" {
			e.begin = e.again
		}
		c := copy(p[n:], e.begin)
		e.begin = e.begin[c:]
		n += c
	}
	e.read += int64(n)
	return n, nil
}

// send makes a request of an operation, and reads the answer to its end.
func send(ctx context.Context, t http.RoundTripper, o limits.Operation) (string, error) {
	req, err := http.NewRequestWithContext(limits.For(ctx, o), http.MethodGet, "http://storage.example:9000/b?X-Amz-Signature=secret", nil)
	if err != nil {
		return "", err
	}
	resp, err := t.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if _, again := resp.Body.Read(make([]byte, 1)); err != nil && !errors.Is(again, err) {
		return "", fmt.Errorf("the next Read returns %w", again)
	}
	return string(body), err
}

// wantError checks an error's kind and code, and that it names the
// server and no URL.
func wantError(t *testing.T, err error, kind providers.Kind, code string, texts ...string) {
	t.Helper()
	var e *providers.Error
	if !errors.As(err, &e) || e.Kind != kind || e.Code != code || e.Fix == "" {
		t.Errorf("got %v", err)
		return
	}
	for _, text := range append(texts, "storage.example:9000") {
		if !strings.Contains(e.Detail, text) {
			t.Errorf("%q does not say %q", e.Detail, text)
		}
	}
	if strings.Contains(e.Error(), "secret") {
		t.Errorf("the error holds the URL: %v", e)
	}
}

func TestNoRequestWithoutOperation(t *testing.T) {
	t.Parallel()
	sent := false
	transport := limits.Transport(roundTripper(func(*http.Request) (*http.Response, error) {
		sent = true
		return nil, errors.New("sent")
	}))
	closed := closing{strings.NewReader("body"), new(bool)}
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPut, "http://storage.example/", closed)
	resp, err := transport.RoundTrip(req)
	if err == nil {
		_ = resp.Body.Close()
	}
	if providers.KindOf(err) != providers.Invalid || sent || !*closed.closed {
		t.Errorf("got %v; sent %v, body closed %v", err, sent, *closed.closed)
	}
	if _, err := send(t.Context(), transport, 99); providers.KindOf(err) != providers.Invalid || sent {
		t.Errorf("an unknown operation: %v", err)
	}
}

type closing struct {
	io.Reader
	closed *bool
}

func (c closing) Close() error { *c.closed = true; return nil }

// What follows a switch to another protocol is not read: no limit is
// known for it, and no context ends it.
func TestSwitchedProtocol(t *testing.T) {
	t.Parallel()
	for _, operation := range []limits.Operation{limits.Read, limits.ListJSON} {
		body := &endless{again: "x"}
		_, err := send(t.Context(), answer(http.StatusSwitchingProtocols, body), operation)
		wantError(t, err, providers.Invalid, limits.CodeSwitched, "101 Switching Protocols")
		if body.read > 0 {
			t.Errorf("%d bytes were read", body.read)
		}
	}
}

// Each body never ends. What may be read of it follows from the
// operation, not from what the server says.
func TestEndlessAnswers(t *testing.T) {
	t.Parallel()
	const page = 8<<20 + 1<<20
	for name, c := range map[string]struct {
		operation    limits.Operation
		begin, again string
		most         int64 // bytes that are read
		says         string
	}{
		"EmptyObjects":     {limits.ListXML, "<ListBucketResult>", "<Contents/>", 1 << 20, "10000 objects"},
		"Namespaces":       {limits.ListXML, "<a:ListBucketResult>", "<a:CONTENTS\n/>", 1 << 20, "10000 objects"},
		"LongNamespaces":   {limits.ListXML, "", "<" + strings.Repeat("n", 100) + ":Contents/>", 2 << 20, "10000 objects"},
		"Prefixes":         {limits.ListXML, "", "<CommonPrefixes></CommonPrefixes>", 1 << 20, "10000 objects"},
		"Versions":         {limits.ListXML, "", "<Version/>", 1 << 20, "10000 objects"},
		"OtherTags":        {limits.ListXML, "", "<x>", page, "200000 tags"},
		"EndlessKey":       {limits.ListXML, "<ListBucketResult><Contents><Key>", "a", 1 << 20, "a text longer than 64 KiB"},
		"EndlessName":      {limits.ListXML, "<", "a", 1 << 20, "a text longer than 64 KiB"},
		"EndlessAttribute": {limits.ListXML, "<Contents", " a=\">\"", 1 << 20, "a text longer than 64 KiB"},
		"LongPage":         {limits.ListXML, "", "<a>" + strings.Repeat("x", 5000), page, "more than 8 MiB"},
		"Blobs":            {limits.LongListXML, "", "<Blob><Properties/></Blob>", 1 << 20, "10000 objects"},
		"BlobPrefixes":     {limits.LongListXML, "", "<BlobPrefix/>", 1 << 20, "10000 objects"},
		"Metadata":         {limits.LongListXML, "<Blob>", "<a/>", 4 << 20, "600000 tags"},
		"LongestPage":      {limits.LongListXML, "", "<a>" + strings.Repeat("x", 5000), 13 << 20, "more than 12 MiB"},
		"EmptyItems":       {limits.ListJSON, `{"items":[{}`, ",{}", 1 << 20, "16000 JSON objects"},
		"Nulls":            {limits.ListJSON, `{"items":[null`, ",null", 1 << 20, "128000 values"},
		"Arrays":           {limits.ListJSON, `{"items":`, "[", 1 << 20, "128000 values"},
		"EndlessString":    {limits.ListJSON, `{"items":[{"name":"`, `\"{},[`, 1 << 20, "a text longer than 64 KiB"},
		"Description":      {limits.DescribeJSON, `{"acl":[{}`, ",{}", 1 << 20, "1000 JSON objects"},
		"Spaces":           {limits.DescribeJSON, "", " ", 1 << 20, "a text longer than 64 KiB"},
		"Written":          {limits.Write, "", "x", 1 << 20, "more than 64 KiB"},
		"WrittenJSON":      {limits.WriteJSON, "", `{"a":"b",`, 1 << 20, "1000 JSON objects"},
		"Head":             {limits.Describe, "", "<CORSRule/>", 1 << 20, "more than 256 KiB"},
		"Deleted":          {limits.Delete, "", "x", 1 << 20, "more than 64 KiB"},
		"Token":            {limits.SignIn, "", "x", 1 << 20, "more than 64 KiB"},
		"Preflight":        {limits.Preflight, "", "x", 1 << 20, "more than 64 KiB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := &endless{begin: c.begin, again: c.again}
			_, err := send(t.Context(), answer(http.StatusOK, body), c.operation)
			wantError(t, err, providers.Invalid, limits.CodeTooMuch, c.says)
			if body.read > c.most {
				t.Errorf("%d bytes were read", body.read)
			}
		})
	}
}

// A failure has few limits of its own: its status says what it means.
func TestEndlessFailures(t *testing.T) {
	t.Parallel()
	for status, kind := range map[int]providers.Kind{
		302: providers.Invalid, 403: providers.Denied, 404: providers.NotFound,
		500: providers.Unavailable, 503: providers.Throttled,
	} {
		for _, operation := range []limits.Operation{limits.Read, limits.LongListXML, limits.SignIn} {
			body := &endless{again: "<Error><Message>"}
			_, err := send(t.Context(), answer(status, body), operation)
			wantError(t, err, kind, limits.CodeTooMuch, fmt.Sprint(status), "more than 64 KiB")
			if body.read > 256<<10 {
				t.Errorf("%d: %d bytes were read", status, body.read)
			}
		}
	}
}

// What clouds really send passes: pages of the longest keys, content of
// any length, and failures.
func TestHonestAnswers(t *testing.T) {
	t.Parallel()
	key := strings.Repeat("%E3", 1024)
	object := "<Contents><Key>" + key + "</Key>" + strings.Repeat("<Size>1</Size>", 14) + "</Contents>"
	blob := "<Blob><Name>" + strings.Repeat("本", 300) + "</Name>" + strings.Repeat("<Etag>0x8DEADBEEF123456</Etag>", 35) + "</Blob>"
	item := `{"name":"` + strings.Repeat(`\u003c`, 1024) + `","size":"1","generation":"1","updated":"2026"}`
	for name, c := range map[string]struct {
		operation limits.Operation
		status    int
		body      string
	}{
		"S3":      {limits.ListXML, 200, "<R>" + strings.Repeat(object, 1000) + "</R>"},
		"Azure":   {limits.LongListXML, 200, "<R>" + strings.Repeat(blob, 5000) + "</R>"},
		"Google":  {limits.ListJSON, 200, `{"items":[` + item + strings.Repeat(","+item, 999) + "]}"},
		"Content": {limits.Read, 200, strings.Repeat("x", 40<<20)},
		"Strings": {limits.DescribeJSON, 200, `{"a":"` + strings.Repeat(`{,[\"`, 10_000) + `"}`},
		"Failure": {limits.ListXML, 404, strings.Repeat("x", 64<<10)},
		"Empty":   {limits.Write, 200, ""},
	} {
		got, err := send(t.Context(), answer(c.status, strings.NewReader(c.body)), c.operation)
		if err != nil || got != c.body {
			t.Errorf("%s: %d of %d bytes, %v", name, len(got), len(c.body), err)
		}
	}
}

// The length of a header is the transport's to limit. Here only the
// error is made readable.
func TestHeaderTooLarge(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Long", strings.Repeat("x", limits.MaxHeader))
	}))
	t.Cleanup(server.Close)
	next := &http.Transport{MaxResponseHeaderBytes: limits.MaxHeader}
	t.Cleanup(next.CloseIdleConnections)
	req, err := http.NewRequestWithContext(limits.For(t.Context(), limits.Describe), http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := limits.Transport(next).RoundTrip(req)
	if err == nil {
		_ = resp.Body.Close()
	}
	var e *providers.Error
	if !errors.As(err, &e) || e.Code != limits.CodeTooMuch || !strings.Contains(e.Detail, "a header longer than 64 KiB") {
		t.Errorf("got %v", err)
	}
}

// A body that is read to its end leaves the connection open for the next
// request.
func TestConnectionsAreUsedAgain(t *testing.T) {
	t.Parallel()
	var addresses []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		addresses = append(addresses, r.RemoteAddr)
		if r.URL.Path == "/missing" {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = w.Write([]byte("content"))
	}))
	t.Cleanup(server.Close)
	next := &http.Transport{}
	t.Cleanup(next.CloseIdleConnections)
	client := &http.Client{Transport: limits.Transport(next)}
	for _, path := range []string{"/", "/missing", "/"} {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut} {
			req, err := http.NewRequestWithContext(limits.For(t.Context(), limits.Read), method, server.URL+path, strings.NewReader("body"))
			if err != nil {
				t.Fatal(err)
			}
			resp, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, resp.Body); err != nil {
				t.Error(err)
			}
			_ = resp.Body.Close()
		}
	}
	for _, address := range addresses {
		if address != addresses[0] {
			t.Fatalf("several connections: %v", addresses)
		}
	}
}

// Only few answers may be large at once. One that finds no place fails
// at once, and a place that was left is free again.
func TestLargeAnswers(t *testing.T) {
	t.Parallel()
	page := strings.Repeat("<a>"+strings.Repeat("x", 1000), 3000)
	transport := limits.Transport(roundTripper(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(page)), Request: r}, nil
	}))
	for range 2 {
		var open []*http.Response
		for range 3 {
			req := httptest.NewRequestWithContext(limits.For(t.Context(), limits.ListXML), http.MethodGet, "http://storage.example:9000/", nil)
			resp, err := transport.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.CopyN(io.Discard, resp.Body, 2_500_000); err != nil {
				t.Fatal(err)
			}
			open = append(open, resp)
		}
		_, err := send(t.Context(), transport, limits.ListXML)
		wantError(t, err, providers.Unavailable, limits.CodeBusy, "more than 2 MiB, and the worker reads 3 others")
		if !limits.IsTooMuch(err) {
			t.Error("IsTooMuch is false")
		}
		if _, err := io.Copy(io.Discard, open[0].Body); err != nil {
			t.Error(err)
		}
		if _, err := send(t.Context(), transport, limits.ListXML); err != nil {
			t.Errorf("with a free place: %v", err)
		}
		for _, resp := range open {
			_ = resp.Body.Close()
		}
	}
}
