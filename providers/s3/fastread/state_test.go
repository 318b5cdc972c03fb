package fastread_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/stevedore-jobs/stevedore/providers/providertest"
	"github.com/stevedore-jobs/stevedore/providers/s3/client"
	"github.com/stevedore-jobs/stevedore/providers/s3/fastread"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3error"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// A worker whose clock is wrong needs a second request for its first
// read only, and so again when its clock is set right.
func TestReader_CorrectsTheClock(t *testing.T) {
	t.Parallel()
	for name, read := range map[string]readFunc{"fast": fast, "sdk": withSDK} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var ahead, requests atomic.Int64
			handler := func(w http.ResponseWriter, r *http.Request) {
				requests.Add(1)
				now := time.Now().Add(time.Duration(ahead.Load()))
				w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
				signed, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
				if err != nil || signed.Sub(now).Abs() > 15*time.Minute {
					refuse(403, "RequestTimeTooSkewed", "The difference is too large.")(w, r)
					return
				}
				found()(w, r)
			}
			server := httptest.NewServer(http.HandlerFunc(handler))
			defer server.Close()
			config := client.Config{HTTP: workerClient(t), Attempts: 3, Credentials: keys("")}
			c := client.New(tasks.Storage{Bucket: "b", Endpoint: server.URL}, config)
			for i, step := range []struct {
				ahead time.Duration
				want  int64
			}{{time.Hour, 2}, {time.Hour, 1}, {time.Hour, 1}, {0, 2}, {0, 1}} {
				ahead.Store(int64(step.ahead))
				requests.Store(0)
				if got := outcome(read(t.Context(), c)); !strings.HasPrefix(got, `"hello"`) || requests.Load() != step.want {
					t.Errorf("read %d made %d requests, want %d: %s", i, requests.Load(), step.want, got)
				}
			}
		})
	}
}

// provider is a source of credentials that change.
type provider struct {
	asked int
	fails map[int]error // by the number of the question
}

func (p *provider) Retrieve(context.Context) (aws.Credentials, error) {
	p.asked++
	id := "AKIA" + strings.Repeat("I", p.asked)
	return aws.Credentials{AccessKeyID: id, SecretAccessKey: "s", SessionToken: "t" + id}, p.fails[p.asked]
}

// Every request is signed with the newest credentials. Failures to get
// them end as in the SDK, after the same number of questions.
func TestReader_AsksForCredentialsAsTheSDKDoes(t *testing.T) {
	t.Parallel()
	for name, fails := range map[string]map[int]error{
		"Rotate":     nil,
		"FailOnce":   {2: &aws.RequestCanceledError{Err: errors.New("no answer")}},
		"RetryOnce":  {2: retryable{}},
		"RetryTwice": {2: retryable{}, 3: retryable{}},
		"First":      {1: errors.New("no credentials")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := func(read readFunc) (text string) {
				var signed []string
				handler := func(w http.ResponseWriter, r *http.Request) {
					signed = append(signed, r.Header.Get("X-Amz-Security-Token"))
					found()(w, r)
				}
				p := &provider{fails: fails}
				c := client.New(tasks.Storage{Bucket: "b", Endpoint: "https://storage.example"}, client.Config{
					HTTP: providertest.Client(http.HandlerFunc(handler)), Attempts: 2, Credentials: p,
				})
				for range 3 {
					text += outcome(read(t.Context(), c)) + "\n"
				}
				return text + strings.Join(signed, " ") + strings.Repeat("?", p.asked)
			}
			if got, want := run(fast), run(withSDK); got != want {
				t.Errorf("got\n%s\nthe SDK\n%s", got, want)
			}
		})
	}
}

// retryable is an error that the SDK's retryer repeats a call for.
type retryable struct{}

func (retryable) Error() string        { return "busy" }
func (retryable) RetryableError() bool { return true }

// A context that ends before the read, or during it, ends it as it ends
// the SDK's.
func TestReader_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	run := func(read readFunc, cancelFirst bool) string {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var requests atomic.Int64
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			requests.Add(1)
			cancel()
			<-r.Context().Done()
		}))
		defer server.Close()
		if cancelFirst {
			cancel()
		}
		config := client.Config{HTTP: workerClient(t), Attempts: 3, Credentials: keys("")}
		c := client.New(tasks.Storage{Bucket: "b", Endpoint: server.URL}, config)
		_, err := read(ctx, c)
		if !errors.Is(s3error.Classify(err), context.Canceled) {
			t.Errorf("got %v", err)
		}
		return failureText(err) + strings.Repeat("!", int(requests.Load()))
	}
	for _, first := range []bool{true, false} {
		if got, want := run(fast, first), run(withSDK, first); got != want {
			t.Errorf("got %s, the SDK %s", got, want)
		}
	}
}

// quota counts the successes that a retryer learns of.
type quota struct {
	aws.RetryerV2
	successes, attempts atomic.Int64
}

func (q *quota) GetAttemptToken(ctx context.Context) (func(error) error, error) {
	q.attempts.Add(1)
	release, err := q.RetryerV2.GetAttemptToken(ctx)
	return func(err error) error {
		if err == nil {
			q.successes.Add(1)
		}
		return release(err)
	}, err
}

// Each success refills the quota of retries once. Otherwise the quota
// of a long job would run out.
func TestReader_RefillsTheQuotaOfRetries(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		answer              http.HandlerFunc
		attempts, successes int64
	}{{found(), 1, 1}, {reply(204, ""), 2, 1}, {refuse(404, "NoSuchKey", "gone"), 2, 0}} {
		standard, ok := s3error.Retryer(2).(aws.RetryerV2)
		if !ok {
			t.Fatal("the retryer has another form: every read would go through the SDK")
		}
		q := &quota{RetryerV2: standard}
		via := providertest.Client(c.answer)
		api := sdk.New(sdk.Options{
			Region: "eu-west-1", Credentials: keys(""), Retryer: q, HTTPClient: s3error.Client{HTTP: via},
		})
		_, _ = fastread.New(api, via, "pictures").Get(t.Context(), fastread.Request{Key: "k"})
		if q.attempts.Load() != c.attempts || q.successes.Load() != c.successes {
			t.Errorf("%d attempts, %d successes; want %+v", q.attempts.Load(), q.successes.Load(), c)
		}
	}
}
