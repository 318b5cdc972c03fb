package producer_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/payloadsize"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
)

// A payload that is too large never reaches Redis.
func TestTooLargePayloadIsNotEnqueued(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c := client(t, o)
	large := tasks.BuildManifest{Source: verify.Storage}
	for range 1100 {
		large.Include = append(large.Include, strings.Repeat("p", 1000))
	}
	_, err := c.Enqueue(t.Context(), large, producer.WithID("j"))
	var size *payloadsize.Error
	if !errors.As(err, &size) || size.Limit != 1<<20 || size.Size < 1_100_000 {
		t.Errorf("got %v", err)
	}
	if _, err := c.Status(t.Context(), "j"); !errors.Is(err, producer.ErrNoJob) {
		t.Errorf("the job is there: %v", err)
	}

	more := producer.New(o, producer.WithPayloadLimit(2<<20))
	t.Cleanup(func() { _ = more.Close() })
	if _, err := more.Enqueue(t.Context(), large, producer.WithID("j")); err != nil {
		t.Errorf("a payload below the limit of the client: %v", err)
	}
}
