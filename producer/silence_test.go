package producer_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// silentVariable is set in the process of a service that looks for a job
// without Redis.
const silentVariable = "STEVEDORE_TEST_SILENT"

// While Redis is away a producer writes nothing to the standard error of
// its service. The calls return errors instead.
func TestWritesNothingToStandardError(t *testing.T) {
	t.Parallel()
	if os.Getenv(silentVariable) != "" {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		for _, o := range []redisconn.Options{
			{Addr: "127.0.0.1:1"},
			{Addr: "127.0.0.1:1", Mode: redisconn.Sentinel, Master: "harbour"},
			{Addr: "127.0.0.1:1", Mode: redisconn.Cluster},
		} {
			c := producer.New(o)
			if _, err := c.Status(ctx, "j"); err == nil {
				t.Error("a status without Redis")
			}
			_ = c.Close()
		}
		return
	}
	var errs bytes.Buffer
	service := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestWritesNothingToStandardError$")
	service.Env, service.Stderr = append(os.Environ(), silentVariable+"=1"), &errs
	if err := service.Run(); err != nil || errs.Len() > 0 {
		t.Errorf("%v, and on standard error:\n%s", err, errs.String())
	}
}
