package hostile

import (
	"context"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/deploy/emulators/hostile/tongue"
)

// Each name can be a part of the name of a bucket, and means one thing.
func TestNames(t *testing.T) {
	t.Parallel()
	valid := regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	var names []string
	for _, b := range behaviours() {
		names = append(names, b.name)
		if b.do == nil || len(b.ops) == 0 {
			t.Errorf("%s does nothing", b.name)
		}
	}
	for _, r := range replacements() {
		names = append(names, r.name)
	}
	for i, name := range names {
		if !valid.MatchString(name) || slices.Contains(names[:i], name) {
			t.Errorf("name %q", name)
		}
		for _, op := range all() {
			if got := parseName(string(op) + "-" + name + "-x1"); string(got.op) != string(op) || got.behaviour != name {
				t.Errorf("parsed as %+v", got)
			}
		}
	}
}

// requests are those of each operation, by API. BUCKET stands for the
// name of the bucket.
var requests = map[string]map[tongue.Op]string{
	"s3": {
		tongue.List: "GET /BUCKET?list-type=2", tongue.Stat: "HEAD /BUCKET/images/0.jpg",
		tongue.Get: "GET /BUCKET/images/0.jpg", tongue.Put: "PUT /BUCKET/k",
		tongue.Start: "POST /BUCKET/k?uploads", tongue.Part: "PUT /BUCKET/k?uploadId=1&partNumber=1",
		tongue.Finish: "POST /BUCKET/k?uploadId=1", tongue.Token: "POST /sts?RoleArn=arn:aws:iam::1:role/BUCKET",
	},
	"gcs": {
		tongue.List: "GET /storage/v1/b/BUCKET/o", tongue.Stat: "GET /storage/v1/b/BUCKET/o/images%2F0.jpg",
		tongue.Get:    "GET /storage/v1/b/BUCKET/o/images%2F0.jpg?alt=media",
		tongue.Put:    "POST /upload/storage/v1/b/BUCKET/o?uploadType=multipart",
		tongue.Start:  "POST /upload/storage/v1/b/BUCKET/o?uploadType=resumable",
		tongue.Finish: "POST /upload/storage/v1/b/BUCKET/o?upload_id=1",
	},
	"azure": {
		tongue.List: "GET /a/BUCKET?comp=list", tongue.Stat: "HEAD /a/BUCKET/images/0.jpg",
		tongue.Get: "GET /a/BUCKET/images/0.jpg", tongue.Put: "PUT /a/BUCKET/k",
		tongue.Part: "PUT /a/BUCKET/k?comp=block", tongue.Finish: "PUT /a/BUCKET/k?comp=blocklist",
	},
}

// Each behaviour happens to its first operation, and each operation
// meets a behaviour. No other operation does.
func TestServer(t *testing.T) {
	t.Parallel()
	s, err := Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for api, byOp := range requests {
		request := func(op tongue.Op, behaviour string) {
			bucket := string(op) + "-" + behaviour + "-" + api
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			ended := make(chan bool)
			go func() {
				send(ctx, t, s.endpoints[api], strings.ReplaceAll(byOp[op], "BUCKET", bucket))
				close(ended)
			}()
			for s.hitsOf(bucket).Load() == 0 && ctx.Err() == nil {
				<-time.After(time.Millisecond)
			}
			cancel()
			<-ended
			if s.hitsOf(bucket).Load() == 0 {
				t.Errorf("%s: nothing happened", bucket)
			}
		}
		for _, b := range behaviours() {
			at := slices.IndexFunc(b.ops, func(op tongue.Op) bool { return byOp[op] != "" })
			request(b.ops[at], b.name)
		}
		for op := range byOp {
			request(op, "reset")
			other := "other-" + string(op) + "-" + api
			status, _ := send(t.Context(), t, s.endpoints[api], strings.ReplaceAll(byOp[op], "BUCKET", other))
			if n := s.hitsOf(other).Load(); n != 0 || status >= http.StatusMultipleChoices {
				t.Errorf("%s: status %d, it happened %d times", other, status, n)
			}
		}
	}
}

// send sends a request. It returns the status and the start of the body.
func send(ctx context.Context, t *testing.T, endpoint, request string) (int, string) {
	t.Helper()
	method, path, _ := strings.Cut(request, " ")
	r, err := http.NewRequestWithContext(ctx, method, endpoint+path, nil)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return 0, ""
	}
	defer func() { _ = resp.Body.Close() }()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, kilobyte))
	return resp.StatusCode, string(body)
}

// Wrong content is in the listing with its own size, and counts when it
// is read.
func TestReplacements(t *testing.T) {
	t.Parallel()
	s, err := Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const bucket = "image-no-image-1"
	if _, body := send(t.Context(), t, s.endpoints["s3"], "GET /"+bucket+"?list-type=2&prefix=images/"); !strings.Contains(body, "<Size>65536</Size>") {
		t.Errorf("listed %s", body)
	}
	_, body := send(t.Context(), t, s.endpoints["s3"], "GET /"+bucket+"/images/0.jpg")
	if n := s.hitsOf(bucket).Load(); n != 1 || body != strings.Repeat("\x00", kilobyte) {
		t.Errorf("it happened %d times, %q", n, body)
	}
}
