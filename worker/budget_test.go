package worker_test

import (
	"crypto/rand"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/setting"
)

// noise is data that cannot be compressed.
func noise(string) []byte {
	data := make([]byte, 10_000)
	_, _ = rand.Read(data) // never fails
	return data
}

// A job whose parts will not fit into Redis fails early, and says what would
// help.
func TestPartsBudget(t *testing.T) {
	t.Parallel()
	o := queuetest.Start(t).Options()
	l := newHarness(t, o)
	conf := config(t, o)
	conf.PartsBudget = 20_000_000
	conf.SettingName = func(id setting.ID) string { return "MY_" + string(id) }
	start(t, conf, jobs{manifest: &counting{shards: 400, data: noise}}) // 40 MB
	l.put(manifest, "m")
	s := l.ended("m", 30*time.Second)
	if s.State != tasks.StateFailed || s.Failure == nil || s.Failure.Code != "PartsTooLarge" || s.Failure.Kind != "invalid" ||
		!strings.Contains(s.Failure.Fix, "raise MY_parts-budget on") ||
		!strings.HasPrefix(s.Failure.Message, "the parts of this job would take about ") ||
		!strings.HasSuffix(s.Failure.Message, " and 19 MB are allowed") {
		t.Errorf("%+v, %+v", s, s.Failure)
	}
	if p := s.Progress; p.Shards > p.ShardsTotal/2-50 {
		t.Errorf("it took %d of %d shards to find out", p.Shards, p.ShardsTotal)
	}
}

// A job of few shards cannot be estimated. The commit that goes too far ends
// it.
func TestPartsBudgetOfFewShards(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	l := newHarness(t, o)
	conf := config(t, o)
	conf.PartsBudget = 250_000
	start(t, conf, jobs{manifest: &counting{shards: 5, data: noise}})
	l.put(manifest, "m")
	s := l.ended("m", 30*time.Second)
	if s.Failure == nil || s.Failure.Code != "PartsTooLarge" ||
		!strings.Contains(s.Failure.Fix, "raise the setting parts-budget on") {
		t.Errorf("%+v, %+v", s, s.Failure)
	}
}

// Shards under way hand in pieces before they are done: those must not make a
// job that fits look like one that does not.
func TestPartsBudgetCountsPieces(t *testing.T) {
	t.Parallel()
	o := queuetest.Start(t).Options()
	l := newHarness(t, o)
	l.planned(manifest, "m", 60)
	for i := range 50 { // nine tenths of most shards are handed in
		c := queue.Checkpoint{To: strconv.Itoa(i) + "/8", Objects: 9, Bytes: 900, Budget: 1 << 30}
		for range 9 {
			c.Data = append(c.Data, noise("")...)
		}
		l.commit(l.startShard(asynqtask.ShardRef{Job: "m", Shard: i}), c)
	}
	conf := config(t, o)
	conf.PartsBudget = 7_000_000 // it takes 6
	start(t, conf, jobs{manifest: &counting{shards: 60, data: noise}})
	l.enqueue(manifest, asynqtask.JobRef{Job: "m"})
	if s := l.ended("m", 60*time.Second); s.State != tasks.StateSucceeded {
		t.Errorf("%+v, %+v", s, s.Failure)
	}
}
