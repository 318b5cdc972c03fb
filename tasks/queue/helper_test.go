package queue_test

import (
	"context"
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
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// servers are the kinds of Redis that every behaviour is tested on.
var servers = map[string]func(testing.TB) redisconn.Options{
	"embedded": queuetest.Embedded,
	"redis":    standalone,
}

func standalone(t testing.TB) redisconn.Options {
	t.Helper()
	return queuetest.Start(t).Options()
}

// room is a Redis of a test's own.
type room struct {
	queue.Records
	client redis.UniversalClient
}

// onEach runs a test on each kind of Redis.
func onEach(t *testing.T, test func(*testing.T, room)) {
	t.Helper()
	t.Parallel()
	onEachOf(t, test)
}

// onEachOf is onEach within a test that is parallel already.
func onEachOf(t *testing.T, test func(*testing.T, room)) {
	t.Helper()
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t, start(t)))
		})
	}
}

func open(t testing.TB, o redisconn.Options) room {
	t.Helper()
	c := o.Client()
	t.Cleanup(func() { _ = c.Close() })
	return room{queue.NewRecords(c), c}
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

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

const kind = "build-manifest"

// budget is more than any test needs.
const budget = 1 << 30

// begin gives a job to its first coordinator.
func begin(t testing.TB, r room, id string) queue.Claim {
	t.Helper()
	return must[queue.Claim](t)(r.Begin(t.Context(), queue.JobRef{Job: id}, kind, []byte("{}"), tasks.StatePlanning))
}

// planned begins a job and plans n shards of 10 objects.
func planned(t testing.TB, r room, id string, n int) queue.Claim {
	t.Helper()
	c := begin(t, r, id)
	for i := range n {
		ok(t, r.Plan(t.Context(), c, shard(i)))
	}
	return c
}

func shard(i int) queue.Planned {
	return queue.Planned{Index: i, Shard: fmt.Appendf(nil, "shard %d", i), Cursor: fmt.Sprint("key ", i), Objects: 10}
}

func ref(job string, shard int) queue.ShardRef { return queue.ShardRef{Job: job, Shard: shard} }

// whole is a shard in one piece, of ten objects of which so many failed.
func whole(data string, failed int) queue.Piece {
	return queue.Piece{Last: true, Data: []byte(data), Objects: 10, Bytes: 100, Errors: lines(failed), Budget: budget}
}

func lines(n int) (list []tasks.ObjectError) {
	for i := range n {
		list = append(list, tasks.ObjectError{Key: fmt.Sprintf("k%04d", i), Code: "corrupt-image", Message: "no"})
	}
	return list
}

func commit(t testing.TB, r room, ref queue.ShardRef, p queue.Piece) bool {
	t.Helper()
	return must[bool](t)(r.Commit(t.Context(), ref, p))
}

func look(t testing.TB, r room, c queue.Claim) queue.View {
	t.Helper()
	return must[queue.View](t)(r.Look(t.Context(), c, queue.Shown{Total: -1}))
}

func status(t testing.TB, r room, id string) tasks.Status {
	t.Helper()
	return must[tasks.Status](t)(r.Status(t.Context(), id))
}

// succeed ends a job well.
func succeed(t testing.TB, r room, c queue.Claim) {
	t.Helper()
	ok(t, r.Publish(t.Context(), c, queue.End{Result: []byte(`{"n":1}`), Keep: time.Hour}))
}

func collect[T any](t testing.TB, seq iter.Seq2[T, error]) (all []T) {
	t.Helper()
	for v, err := range seq {
		ok(t, err)
		all = append(all, v)
	}
	return all
}

// events are those in the stream.
func events(t testing.TB, r room) (all []tasks.Event) {
	t.Helper()
	for _, m := range must[[]redis.XMessage](t)(r.client.XRange(t.Context(), queue.EventsStream, "-", "+").Result()) {
		all = append(all, must[queue.StreamEvent](t)(queue.DecodeEvent(m)).Event)
	}
	return all
}

func tracked(t testing.TB, r room, id string) bool {
	t.Helper()
	return r.client.ZScore(t.Context(), "stevedore:active", id).Err() == nil
}

func field(t testing.TB, r room, id, name string) string {
	t.Helper()
	return r.client.HGet(t.Context(), "stevedore:{"+id+"}:job", name).Val()
}

// keys are all there are, on a cluster those of every master. KEYS is not for
// our ACL user.
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

// same compares by JSON, for what has maps and pointers in it.
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
