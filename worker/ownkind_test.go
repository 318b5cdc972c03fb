package worker_test

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/worker"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// countWords is the payload of a kind that is not built in.
type countWords struct {
	tasks.Terms
	Text string `json:"text"`
}

// Kind implements tasks.Job.
func (countWords) Kind() string { return "count-words" }

// Validate implements tasks.Job.
func (j countWords) Validate() error {
	if j.Text != "" {
		return nil
	}
	return &tasks.InvalidError{
		JobKind: j.Kind(),
		Fields:  []tasks.FieldError{{Field: "text", Problem: "empty"}},
	}
}

type wordCount struct {
	Words int `json:"words"`
}

// Kind implements tasks.Result.
func (wordCount) Kind() string { return "count-words" }

// Summary implements tasks.Result.
func (c wordCount) Summary() string { return fmt.Sprint(c.Words, " words") }

// wordCounter counts words, one shard a word.
type wordCounter struct{}

// Plan implements job.Sharded.
func (wordCounter) Plan(
	_ context.Context, j countWords, _ job.Env, after string, emit func(job.Shard) error,
) error {
	for i := range strings.Fields(j.Text) {
		through := fmt.Sprintf("%03d", i)
		if through <= after {
			continue
		}
		if err := emit(job.Shard{After: after, Through: through, Objects: 1}); err != nil {
			return err
		}
		after = through
	}
	return nil
}

// Work implements job.Sharded.
func (wordCounter) Work(
	_ context.Context, _ countWords, _ job.Env, s job.Shard,
) iter.Seq2[job.Item, error] {
	return func(yield func(job.Item, error) bool) {
		yield(job.Item{Key: s.Through, Tally: "words"}, nil)
	}
}

// Finish implements job.Sharded.
func (wordCounter) Finish(
	_ context.Context, _ countWords, _ job.Env, parts job.Parts,
) (tasks.Result, error) {
	return wordCount{int(parts.Tally["words"])}, nil
}

func countWordsKind() tasks.Kind {
	return tasks.NewKind[countWords, wordCount](tasks.Policy{
		Queue:    tasks.QueueJobs,
		Timeout:  time.Minute,
		Attempts: 2,
		Keep:     time.Hour,
	})
}

// A worker runs a kind that is not built in, beside the built-in ones,
// with shards, priorities and validation.
func TestOwnKind(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	h := newHarness(t, o)
	own := worker.Sharded(wordCounter{}).OfKind(countWordsKind())
	runWorker(t, newConfig(t, o), append(testJobs{}.registrations(), own)...)
	c := producer.New(o, producer.WithKinds(countWordsKind()))
	t.Cleanup(func() { _ = c.Close() })
	for id, j := range map[string]countWords{
		"words": {Text: "one two three"},
		"high":  {Text: "one two", Terms: tasks.Terms{Priority: tasks.PriorityHigh}},
	} {
		enqueue(t, c, j, id)
	}
	// Another language may enqueue a payload that is not valid.
	h.must(h.tasks.EnqueueJob(t.Context(), asynqtask.Job{
		Kind:    countWordsKind(),
		Ref:     asynqtask.JobRef{Job: "empty"},
		Payload: []byte("{}"),
	}))
	for id, want := range map[string]string{"words": `{"words":3}`, "high": `{"words":2}`} {
		if s := waitForJob(t, c, id, 20*time.Second); string(s.Result) != want {
			t.Errorf("%s: result %s, want %s; %+v", id, s.Result, want, s.Failure)
		}
	}
	queuetest.Eventually(t, 10*time.Second, "a worker has claimed the job", func() bool {
		return h.recordField("empty", "kind") != ""
	})
	s := waitForJob(t, c, "empty", 20*time.Second)
	if s.Failure == nil || !strings.Contains(s.Failure.Message, "text: empty") {
		t.Errorf("failure %+v", s.Failure)
	}
}

// A kind that does not fit its job, or is not valid, or is built in
// already, is refused by New.
func TestNewRefusesWrongKinds(t *testing.T) {
	t.Parallel()
	conf := newConfig(t, queuetest.Embedded(t))
	other := countWordsKind()
	other.Name = "count-letters"
	noAttempts := countWordsKind()
	noAttempts.Policy.Attempts = 0
	verifyKind, err := tasks.Lookup("verify-connection")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		registration worker.Registration
		want         string
	}{
		"no kind":          {worker.Sharded(wordCounter{}), "count-words"},
		"another kind":     {worker.Sharded(wordCounter{}).OfKind(other), "count-letters"},
		"an invalid kind":  {worker.Sharded(wordCounter{}).OfKind(noAttempts), "attempt"},
		"a built-in kind":  {worker.Single(single[tasks.VerifyConnection]{}).OfKind(verifyKind), "built in"},
		"another's result": {worker.Sharded(wordCounter{}).OfKind(verifyKind), "verify-connection"},
	} {
		_, err := worker.New(conf, append(testJobs{}.registrations(), c.registration)...)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
