//go:build unix

package bench_test

import (
	"bufio"
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/deploy/bench/cameras"
)

// mixes are the sets of images that a server can have.
var mixes = map[string]func(int) cameras.Image{"mix": cameras.Mix, "narrow": cameras.Narrow, "wide": cameras.Wide}

// startStore starts a server of S3 in a process of its own, so that its
// processor time does not count. It has images of a mix and answers
// after latency.
func startStore(t testing.TB, mix string, images int, latency time.Duration) (endpoint string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestServeImages$")
	c.Env = append(os.Environ(), fmt.Sprintf("STEVEDORE_BENCH_IMAGES=%s %d %s", mix, images, latency))
	stdin, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = stdin.Close(), c.Wait() })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// TestServeImages is not a test: it is the server of startStore. It runs
// until its standard input ends.
func TestServeImages(*testing.T) {
	var s store
	var images int
	var mix, latency string
	if _, err := fmt.Sscan(os.Getenv("STEVEDORE_BENCH_IMAGES"), &mix, &images, &latency); err != nil {
		return
	}
	s.latency, _ = time.ParseDuration(latency)
	s.objects = map[string]object{}
	for i := range images {
		image := mixes[mix](i)
		sum := md5.Sum(image.Head)
		s.objects[fmt.Sprintf("images/%08d.jpg", i)] = object{image.Head, image.Size, hex.EncodeToString(sum[:])}
	}
	server := httptest.NewServer(&s)
	defer server.Close()
	_, _ = fmt.Fprintln(os.Stdout, server.URL)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// object begins with head and has zeros up to its size.
type object struct {
	head []byte
	size int64
	etag string
}

// store answers as S3 does, as far as the job and boto3 ask.
type store struct {
	latency time.Duration
	mu      sync.RWMutex
	objects map[string]object
}

// ServeHTTP implements http.Handler.
func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	<-time.After(s.latency) // the network
	key := strings.TrimPrefix(r.URL.Path, "/b/")
	switch {
	case r.URL.Query().Get("list-type") == "2":
		s.list(w, r)
	case r.Method == http.MethodPut:
		body, _ := io.ReadAll(r.Body)
		sum := md5.Sum(body)
		o := object{body, int64(len(body)), hex.EncodeToString(sum[:])}
		s.mu.Lock()
		s.objects[key] = o
		s.mu.Unlock()
		w.Header().Set("ETag", `"`+o.etag+`"`)
	default:
		s.get(w, r, key)
	}
}

func (s *store) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	after := max(q.Get("start-after"), q.Get("continuation-token"))
	n, _ := strconv.Atoi(q.Get("max-keys"))
	if n == 0 {
		n = 1000
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	var keys []string
	for key := range s.objects {
		if key > after && strings.HasPrefix(key, q.Get("prefix")) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	var text bytes.Buffer
	text.WriteString(`<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name>`)
	more := len(keys) > n
	keys = keys[:min(n, len(keys))]
	fmt.Fprintf(&text, "<IsTruncated>%t</IsTruncated>", more)
	if more {
		fmt.Fprintf(&text, "<NextContinuationToken>%s</NextContinuationToken>", keys[len(keys)-1])
	}
	for _, key := range keys {
		o := s.objects[key]
		fmt.Fprintf(&text, `<Contents><Key>%s</Key><Size>%d</Size><ETag>"%s"</ETag><LastModified>2026-11-22T00:00:00.000Z</LastModified></Contents>`, key, o.size, o.etag)
	}
	text.WriteString("</ListBucketResult>")
	w.Header().Set("Content-Type", "application/xml")
	_, _ = w.Write(text.Bytes())
}

func (s *store) get(w http.ResponseWriter, r *http.Request, key string) {
	s.mu.RLock()
	o, ok := s.objects[key]
	s.mu.RUnlock()
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		if r.Method != http.MethodHead {
			_, _ = io.WriteString(w, `<?xml version="1.0"?><Error><Code>NoSuchKey</Code><Message>none</Message></Error>`)
		}
		return
	}
	first, last, status := int64(0), o.size-1, http.StatusOK
	if n, _ := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &first, &last); n > 0 {
		last, status = min(last, o.size-1), http.StatusPartialContent
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", first, last, o.size))
	}
	w.Header().Set("ETag", `"`+o.etag+`"`)
	w.Header().Set("Last-Modified", "Sun, 22 Nov 2026 00:00:00 GMT")
	w.Header().Set("Content-Length", strconv.FormatInt(last+1-first, 10))
	w.Header().Set("Content-Type", "image/jpeg")
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return
	}
	if begin := o.head[min(first, int64(len(o.head))):min(last+1, int64(len(o.head)))]; len(begin) > 0 {
		if _, err := w.Write(begin); err != nil {
			return
		}
		first += int64(len(begin))
	}
	zeros := make([]byte, 64<<10)
	for first <= last {
		n, err := w.Write(zeros[:min(last+1-first, int64(len(zeros)))])
		if err != nil {
			return // as net.ErrClosed
		}
		first += int64(n)
	}
}
