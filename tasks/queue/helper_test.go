package queue_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/tasks/queue/schema"
)

// servers are the kinds of Redis that every behaviour is tested
// on.
var servers = map[string]func(testing.TB) redisconn.Options{
	"embedded": queuetest.Embedded,
	"redis":    startRedis,
}

func startRedis(t testing.TB) redisconn.Options {
	t.Helper()
	return queuetest.Start(t).Options()
}

// testStore is a Store with a Redis of its own.
type testStore struct {
	queue.Store
	client redis.UniversalClient
}

// onEach runs a test on each kind of Redis.
func onEach(t *testing.T, test func(*testing.T, testStore)) {
	t.Helper()
	t.Parallel()
	onEachOf(t, test)
}

// onEachOf is onEach within a test that is parallel already.
func onEachOf(t *testing.T, test func(*testing.T, testStore)) {
	t.Helper()
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t, start(t)))
		})
	}
}

func open(t testing.TB, o redisconn.Options) testStore {
	t.Helper()
	c := o.Client()
	t.Cleanup(func() { _ = c.Close() })
	return testStore{queue.NewStore(c), c}
}

// must ends the test at an error.
func must[T any](t testing.TB) func(T, error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		ok(t, err)
		return v
	}
}

// ok ends the test at an error.
func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

const kind = "build-manifest"

// create makes the record of a job that no worker has begun.
func create(t testing.TB, r testStore, id string) {
	t.Helper()
	must[queue.CreateResult](t)(r.Create(t.Context(), queue.NewJob{ID: id, Kind: kind}))
}

// claim gives a job to a coordinator in the task of generation 0.
func claim(t testing.TB, r testStore, id string) queue.Lease {
	t.Helper()
	return claimAs(t, r, asynqtask.JobRef{Job: id})
}

// claimAs gives a job to a coordinator in the task of some
// generation.
func claimAs(t testing.TB, r testStore, ref asynqtask.JobRef) queue.Lease {
	t.Helper()
	return must[queue.Lease](t)(r.Claim(t.Context(), queue.ClaimRequest{
		Ref: ref, Kind: kind, Payload: []byte("{}"), Queue: tasks.QueueJobs, First: tasks.StatePlanning,
	}))
}

// claimSingle gives a job without shards to a worker.
func claimSingle(t testing.TB, r testStore, id string) queue.Lease {
	t.Helper()
	return must[queue.Lease](t)(r.Claim(t.Context(), queue.ClaimRequest{
		Ref: asynqtask.JobRef{Job: id}, Kind: "export-annotations", First: tasks.StateRunning,
	}))
}

// planned claims a job and plans n shards of 10 objects.
func planned(t testing.TB, r testStore, id string, n int) queue.Lease {
	t.Helper()
	l := claim(t, r, id)
	for i := range n {
		ok(t, l.Plan(t.Context(), shard(i)))
	}
	return l
}

func shard(i int) queue.PlannedShard {
	return queue.PlannedShard{
		Index: i, Shard: fmt.Appendf(nil, "shard %d", i), Cursor: fmt.Sprint("key ", i), Objects: 10,
	}
}

func ref(job string, shard int) asynqtask.ShardRef { return asynqtask.ShardRef{Job: job, Shard: shard} }

// whole is a shard in one checkpoint, with ten objects. So many
// of them failed.
func whole(data string, failed int) queue.Checkpoint {
	return queue.Checkpoint{
		Last: true, Data: []byte(data), Objects: 10, Bytes: 100, Errors: lines(failed),
	}
}

func lines(n int) (list []tasks.ObjectError) {
	for i := range n {
		list = append(list, tasks.ObjectError{Key: fmt.Sprintf("k%04d", i), Code: "corrupt-image", Message: "no"})
	}
	return list
}

func start(t testing.TB, r testStore, ref asynqtask.ShardRef) queue.ShardLease {
	t.Helper()
	return must[queue.ShardLease](t)(r.StartShard(t.Context(), ref))
}

// commit saves a checkpoint as a new run, which has not begun
// with StartShard.
func commit(t testing.TB, r testStore, ref asynqtask.ShardRef, c queue.Checkpoint) bool {
	t.Helper()
	return commitAs(t, r, ref, rand.Text(), c)
}

// commitAs saves a checkpoint as the run with a token.
func commitAs(t testing.TB, r testStore, ref asynqtask.ShardRef, token string, c queue.Checkpoint) bool {
	t.Helper()
	run := queue.RunOf(r.Store, ref, token)
	if s, err := r.Status(t.Context(), ref.Job); err == nil {
		run.Round = s.Round
	}
	return must[bool](t)(run.Commit(t.Context(), c))
}

func heartbeat(t testing.TB, l queue.Lease) queue.Snapshot {
	t.Helper()
	return must[queue.Snapshot](t)(l.Heartbeat(t.Context(), queue.ProgressReport{Total: -1}))
}

func status(t testing.TB, r testStore, id string) tasks.Status {
	t.Helper()
	return must[tasks.Status](t)(r.Status(t.Context(), id))
}

func inspect(t testing.TB, r testStore, id string) queue.JobHealth {
	t.Helper()
	return must[queue.JobHealth](t)(r.Reaper().Inspect(t.Context(), id))
}

// succeed ends a job with a result.
func succeed(t testing.TB, l queue.Lease) {
	t.Helper()
	ok(t, l.Publish(t.Context(), queue.End{Result: []byte(`{"n":1}`), Keep: time.Hour}))
}

// fail ends a job with a failure.
func fail(t testing.TB, l queue.Lease) {
	t.Helper()
	ok(t, l.Publish(t.Context(), queue.End{Failure: &tasks.Failure{Kind: "denied"}, Keep: time.Hour}))
}

func cancel(t testing.TB, r testStore, id string) queue.CancelResult {
	t.Helper()
	return must[queue.CancelResult](t)(r.Cancel(t.Context(), id, time.Hour))
}

func retry(t testing.TB, r testStore, id string, round int) queue.RetryTask {
	t.Helper()
	return must[queue.RetryTask](t)(r.BeginRetry(t.Context(), id, round))
}

func collect[T any](t testing.TB, seq iter.Seq2[T, error]) (all []T) {
	t.Helper()
	for v, err := range seq {
		ok(t, err)
		all = append(all, v)
	}
	return all
}

// events returns those in the stream.
func events(t testing.TB, r testStore) (all []tasks.Event) {
	t.Helper()
	messages := must[[]redis.XMessage](t)(r.client.XRange(t.Context(), queue.EventsStream, "-", "+").Result())
	for _, m := range messages {
		all = append(all, must[queue.StreamEvent](t)(queue.DecodeEvent(m)).Event)
	}
	return all
}

func tracked(t testing.TB, r testStore, id string) bool {
	t.Helper()
	return r.client.ZScore(t.Context(), schema.ActiveKey, id).Err() == nil
}

func field(t testing.TB, r testStore, id, name string) string {
	t.Helper()
	return r.client.HGet(t.Context(), schema.RecordKey(id), name).Val()
}

// keys returns all keys, on a cluster those of every master. The
// user of the ACL tests may not use KEYS.
func keys(t testing.TB, c redis.UniversalClient) (all []string) {
	t.Helper()
	var mu sync.Mutex
	scan := func(ctx context.Context, c *redis.Client) error {
		i := c.Scan(ctx, 0, "*", 1000).Iterator()
		for i.Next(ctx) {
			mu.Lock()
			all = append(all, i.Val())
			mu.Unlock()
		}
		return i.Err()
	}
	switch c := c.(type) {
	case *redis.ClusterClient:
		ok(t, c.ForEachMaster(t.Context(), scan))
	case *redis.Client:
		ok(t, scan(t.Context(), c))
	}
	slices.Sort(all)
	return slices.Compact(all) // SCAN may give a key twice
}

// same compares values as JSON, so that pointers do not matter.
func same(t testing.TB, what string, got, want any) {
	t.Helper()
	g, w := must[[]byte](t)(json.Marshal(got)), must[[]byte](t)(json.Marshal(want))
	if string(g) != string(w) {
		t.Errorf("%s:\n got %s\nwant %s", what, g, w)
	}
}

// atOnce runs n calls at the same moment and waits for all.
func atOnce(n int, call func(i int)) {
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-start
			call(i)
		})
	}
	close(start)
	all.Wait()
}
