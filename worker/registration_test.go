package worker

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/tasks/setting"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// doNothing is a job of any kind.
type doNothing[J tasks.Job] struct{}

func (doNothing[J]) Run(context.Context, J, job.Env) (tasks.Result, error) {
	return nil, errors.New("not meant to run")
}

func allKinds() []Registration {
	return WithStubs(
		Single(doNothing[tasks.VerifyConnection]{}),
		Single(doNothing[tasks.BuildManifest]{}),
		Single(doNothing[tasks.GenerateThumbnails]{}),
		Single(doNothing[tasks.ExportAnnotations]{}),
	)
}

func testConfig() Config {
	return Config{
		Redis:        redisconn.Options{Addr: "127.0.0.1:1"},
		Providers:    providers.Registry{},
		VerifySlots:  1,
		JobSlots:     1,
		ShardSlots:   1,
		Parallel:     1,
		DrainTimeout: 1,
	}
}

func TestKindsRefuseGaps(t *testing.T) {
	t.Parallel()
	all := allKinds()
	served := newPools(testConfig())
	foreign := Registration{name: "make-coffee"}
	for name, c := range map[string]struct {
		jobs  []Registration
		pools []pool
		want  string
	}{
		"a kind without a job":        {all[1:], served, "no job for kind verify-connection"},
		"two jobs for a kind":         {append(allKinds(), all[0]), served, "two jobs for kind verify-connection"},
		"a queue that no pool serves": {all, served[1:], `no pool serves queue "verify"`},
		"an unknown kind":             {append(allKinds(), foreign), served, "make-coffee"},
	} {
		_, err := kindsOf(c.jobs, c.pools)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if _, err := kindsOf(all, served); err != nil {
		t.Error(err)
	}
}

// New reports all faults of a configuration and of the jobs at once.
func TestNewReportsAllFaults(t *testing.T) {
	t.Parallel()
	c := testConfig()
	c.ShardSlots, c.BucketShards, c.RedisBudget, c.DrainTimeout = 0, -1, -1, 0
	_, err := New(c, allKinds()[1:]...)
	if err == nil {
		t.Fatal("a worker with faults was made")
	}
	for _, want := range []string{
		"the setting shard-slots: must be at least 1",
		"the setting bucket-shards: must not be negative",
		"the setting redis-budget: must not be negative",
		"the setting drain-timeout: must be longer than 0s",
		"no job for kind verify-connection",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in %v", want, err)
		}
	}
	if strings.Contains(err.Error(), setting.JobSlots.String()) {
		t.Errorf("a setting without fault is named: %v", err)
	}
	if _, err := New(testConfig(), allKinds()...); err != nil {
		t.Error(err)
	}
}
