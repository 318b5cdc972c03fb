package fastread_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/stevedore-jobs/stevedore/providers/egress"
	"github.com/stevedore-jobs/stevedore/providers/s3/client"
	"github.com/stevedore-jobs/stevedore/providers/s3/fastread"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3error"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3test"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// script answers the first requests one after the other. The last
// answer is repeated.
type script struct {
	answers []http.HandlerFunc

	mu   sync.Mutex
	seen []string // guarded by mu
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	answer := s.answers[min(len(s.seen), len(s.answers)-1)]
	scope, _, _ := strings.Cut(r.Header.Get("Authorization"), ", Signature")
	s.seen = append(s.seen, fmt.Sprintf("%s %s %q %q", r.Method, r.URL, scope, r.Header["Range"]))
	s.mu.Unlock()
	answer(w, r)
}

// take returns what was requested, and starts the script anew.
func (s *script) take() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := strings.Join(s.seen, "\n")
	s.seen = nil
	return all
}

// refuse answers as S3 does for an error. The headers are pairs.
func refuse(status int, code, message string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		s3test.WriteError(w, status, code, message)
	}
}

// reply answers with headers, which are pairs, and a body.
func reply(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func breakOff(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// raw answers with bytes that need not be HTTP.
func raw(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_, _ = io.WriteString(conn, text)
			_ = conn.Close()
		}
	}
}

const date = "Fri, 02 Jan 2026 03:04:05 GMT"

func found() http.HandlerFunc {
	return reply(http.StatusPartialContent, "hello", "ETag", `"e"`, "Last-Modified", date, "Content-Range", "bytes 0-4/9")
}

func one(h http.HandlerFunc) []http.HandlerFunc { return []http.HandlerFunc{h} }

// refusals are answers with a status other than success.
func refusals() map[string][]http.HandlerFunc {
	ahead := time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)
	region := "X-Amz-Bucket-Region"
	return map[string][]http.HandlerFunc{
		"NoSuchKey":        one(refuse(404, "NoSuchKey", "The specified key does not exist.", "X-Amz-Request-Id", "R1")),
		"NoSuchBucket":     one(refuse(404, "NoSuchBucket", "The specified bucket does not exist")),
		"Denied":           one(refuse(403, "AccessDenied", "User: arn:aws:iam::1:user/a is not authorized to perform: s3:GetObject")),
		"Expired":          one(refuse(400, "ExpiredToken", "The provided token has expired.")),
		"WrongSecret":      one(refuse(403, "SignatureDoesNotMatch", "The request signature we calculated does not match")),
		"WrongKey":         one(refuse(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist")),
		"Skewed":           one(refuse(403, "RequestTimeTooSkewed", "The difference is too large.", "Date", ahead)),
		"SkewedOnce":       {refuse(403, "RequestTimeTooSkewed", "The difference is too large.", "Date", ahead), found()},
		"Archived":         one(refuse(403, "InvalidObjectState", "The operation is not valid for the object's storage class")),
		"Changed":          one(refuse(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")),
		"BehindTheEnd":     one(refuse(416, "InvalidRange", "The requested range is not satisfiable")),
		"NotAllowed":       one(refuse(405, "MethodNotAllowed", "The specified method is not allowed")),
		"Moved":            {refuse(301, "PermanentRedirect", "Use the endpoint", region, "eu-west-3"), found()},
		"MovedTwice":       one(refuse(301, "PermanentRedirect", "Use the endpoint", region, "eu-west-3")),
		"Redirected":       {refuse(307, "TemporaryRedirect", "Re-send", region, "eu-west-2", "Location", "http://127.0.0.1:1/"), found()},
		"RedirectedToWeb":  one(reply(302, "<html>", "Location", "http://127.0.0.1:1/")),
		"BadLocation":      one(reply(307, "", "Location", "http://[::1")),
		"OtherRegion":      {refuse(400, "AuthorizationHeaderMalformed", "the region 'us-east-1' is wrong; expecting 'eu-west-1'"), found()},
		"Busy":             one(refuse(503, "SlowDown", "Please reduce your request rate.", "Retry-After", "7")),
		"BusyOnce":         {refuse(503, "SlowDown", "Please reduce your request rate."), found()},
		"TooMany":          one(refuse(429, "TooManyRequests", "slower")),
		"Internal":         one(refuse(500, "InternalError", "We encountered an internal error.")),
		"InternalOnce":     {refuse(500, "InternalError", "We encountered an internal error."), found()},
		"TimeoutOnce":      {refuse(400, "RequestTimeout", "Your socket connection was not read"), found()},
		"NotModified":      one(reply(304, "")),
		"SecretInAnswer":   one(refuse(403, "AccessDenied", "top-secret")),
		"UnknownCode":      one(refuse(418, "Teapot", "short and stout")),
		"BusyThenNotFound": {refuse(503, "SlowDown", "slower"), refuse(404, "NoSuchKey", "gone")},
	}
}

// oddAnswers are successes of every form, and answers that S3 would
// not give.
func oddAnswers() map[string][]http.HandlerFunc {
	return map[string][]http.HandlerFunc{
		"Found":         one(found()),
		"Page":          one(reply(200, "<html>Welcome</html>", "Content-Type", "text/html")),
		"ErrorPage":     one(reply(403, "<html>Forbidden</html>", "Content-Type", "text/html")),
		"GatewayPage":   one(reply(502, "<html>Bad Gateway</html>")),
		"NoBody":        one(reply(403, "")),
		"HalfDocument":  one(reply(403, "<Error><Code>AccessDen")),
		"LongFailure":   one(reply(500, strings.Repeat("x", 100<<10))),
		"BrokenFailure": one(raw("HTTP/1.1 403 Forbidden\r\nContent-Length: 900\r\n\r\n<Error><Code>AccessDenied</Code>")),
		"NoContent":     one(reply(204, "")),
		"Accepted":      one(reply(202, "hello", "ETag", `"e"`)),
		"WholeObject":   one(reply(200, "hello", "ETag", `"e"`)),
		"Chunked":       one(raw("HTTP/1.1 200 OK\r\nETag: \"e\"\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")),
		"Compressed":    one(reply(200, "hello", "ETag", `"e"`, "Content-Encoding", "gzip")),
		"NoTag":         one(reply(200, "hello")),
		"OddTag":        one(reply(200, "hello", "ETag", "  e  ")),
		"OddDate":       one(reply(200, "hello", "ETag", `"e"`, "Last-Modified", "yesterday")),
		"OldDate":       one(reply(200, "hello", "ETag", `"e"`, "Last-Modified", "Friday, 02-Jan-26 03:04:05 GMT")),
		"Cut":           one(raw("HTTP/1.1 200 OK\r\nETag: \"e\"\r\nContent-Length: 9\r\n\r\nhel")),
		"BrokenOff":     one(breakOff),
		"BrokenOffOnce": {breakOff, found()},
		"Switched":      one(raw("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h3\r\n\r\n")),
		"LongHeader":    one(raw("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 100<<10) + "\r\n\r\n")),
		"NotHTTP":       one(raw("SSH-2.0-OpenSSH_9.9\r\n")),
		"BadLength":     one(raw("HTTP/1.1 200 OK\r\nETag: \"e\"\r\nContent-Length: many\r\n\r\nhello")),
	}
}

// outcome describes all that a caller learns of a read.
func outcome(answer fastread.Answer, err error) string {
	if err != nil {
		return failureText(err)
	}
	data, readErr := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	text := fmt.Sprintf("%q %s %s %d %s", data, answer.ETag, answer.Modified.UTC(),
		aws.ToInt64(answer.Length), aws.ToString(answer.Range))
	if readErr != nil {
		text += failureText(readErr)
	}
	return text
}

func failureText(err error) string {
	e := s3error.Classify(err)
	return fmt.Sprintf("%+v, region %q, cause %v, advice %q", *e, s3error.Region(err), e.Err, e.Advice())
}

// withSDK makes a read with the SDK alone.
func withSDK(ctx context.Context, c *client.Client) (fastread.Answer, error) {
	out, err := c.GetObject(ctx, &sdk.GetObjectInput{
		Bucket: c.Bucket(), Key: aws.String("k"), Range: aws.String("bytes=0-4"),
	})
	if err != nil {
		return fastread.Answer{}, err
	}
	return fastread.Answer{
		Body: out.Body, ETag: aws.ToString(out.ETag), Modified: aws.ToTime(out.LastModified),
		Length: out.ContentLength, Range: out.ContentRange,
	}, nil
}

func fast(ctx context.Context, c *client.Client) (fastread.Answer, error) {
	return client.Read(ctx, c, fastread.Request{Key: "k", Range: "bytes=0-4"})
}

// workerClient makes a client of a worker, which may connect to this
// machine.
func workerClient(t *testing.T) *http.Client {
	t.Helper()
	allow, err := egress.ParseAllow("127.0.0.0/8")
	if err != nil {
		t.Fatal(err)
	}
	via := egress.Policy{Allow: allow}.Client()
	t.Cleanup(via.CloseIdleConnections)
	return via
}

// Whatever a server answers, a fast read makes the requests that the
// SDK would make, and ends as the SDK would end. The cases wait at the
// same time, because the SDK waits before another attempt.
func TestReader_EndsAsTheSDKDoes(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("SKIPPED: -short runs no test of more than three seconds")
	}
	var wg sync.WaitGroup
	all := refusals()
	maps.Copy(all, oddAnswers())
	for name, answers := range all {
		wg.Go(func() {
			s := &script{answers: answers}
			server := httptest.NewServer(s)
			defer server.Close()
			via := workerClient(t)
			got, want := s.run(t, server.URL, via, fast), s.run(t, server.URL, via, withSDK)
			if got != want {
				t.Errorf("%s: got\n%s\nthe SDK\n%s", name, got, want)
			}
		})
	}
	wg.Wait()
}

type readFunc func(context.Context, *client.Client) (fastread.Answer, error)

// run reads with a new client, and describes what happened. If the
// client needed a second request, it reads again with what it learned.
func (s *script) run(t *testing.T, endpoint string, via *http.Client, read readFunc) string {
	t.Helper()
	config := client.Config{HTTP: via, Attempts: 2, Credentials: keys("")}
	c := client.New(tasks.Storage{Bucket: "b", Endpoint: endpoint}, config)
	text := outcome(read(t.Context(), c)) + "\n" + s.take()
	if len(s.answers) > 1 {
		text += "\nthen " + outcome(read(t.Context(), c)) + "\n" + s.take()
	}
	return text + "\n" + c.Region()
}
