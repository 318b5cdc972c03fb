package admission

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/caps"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/schema"
	"github.com/stevedore-jobs/stevedore/tasks/queue/turns"
)

// fleet is a number of processes that share the queues of one pool.
// Nothing in it waits: tasks take a number of rounds.
type fleet struct {
	t         *testing.T
	rng       *rand.Rand
	redis     redis.UniversalClient
	client    *asynq.Client
	perTenant int
	slots     int
	processes []*process
	waiting   map[string][]waitingTask  // by queue, oldest first
	turns     map[string]map[string]int // by queue and owner: turns of others while it waits with nothing under way
	longest   int                       // the most others who had a turn
	next      int                       // number of the next job
	done      int
}

type waitingTask struct{ id, tenant string }

// process is one worker process.
type process struct {
	pool    *Pool
	queues  *turns.Queues
	running map[string]*runningTask
}

type runningTask struct {
	queue, tenant string
	leave         func()
	rounds        int // until it ends
}

var simulatedQueues = []string{"shards-high", "shards", "shards-low", "exports"}

func newFleet(t *testing.T, seed uint64, processes, slots, perTenant int) *fleet {
	t.Helper()
	r := queuetest.Start(t).Options().Client()
	t.Cleanup(func() { _ = r.Close() })
	f := &fleet{
		t: t, redis: r, client: asynq.NewClientFromRedisClient(r), perTenant: perTenant, slots: slots,
		rng:     rand.New(rand.NewPCG(seed, 1)),
		waiting: map[string][]waitingTask{}, turns: map[string]map[string]int{},
	}
	for range processes {
		f.processes = append(f.processes, f.newProcess())
	}
	return f
}

func (f *fleet) newProcess() *process {
	return &process{
		pool:    New(Config{Name: "shards", Slots: f.slots, Caps: caps.New(f.redis), PerTenant: f.perTenant}),
		queues:  turns.New(f.redis),
		running: map[string]*runningTask{},
	}
}

// enqueue enqueues the shards of one more job. Some tenants have large
// jobs, and many of them. Some jobs have no tenant.
func (f *fleet) enqueue() {
	tenant, shards := fmt.Sprint("t", f.rng.IntN(6)), 1+f.rng.IntN(3)
	switch f.rng.IntN(4) {
	case 0:
		tenant, shards = "greedy", 10
	case 1:
		tenant = ""
	}
	queue := simulatedQueues[f.rng.IntN(len(simulatedQueues))]
	f.next++
	for i := range shards {
		ref := asynqtask.ShardRef{Job: fmt.Sprint("j", f.next), Shard: i}
		err := asynqtask.NewClient(f.redis, f.redis).EnqueueShard(f.t.Context(), asynqtask.Shard{
			Kind: "build-manifest", Ref: ref, Queue: queue,
			ShardShares: asynqtask.ShardShares{Tenant: tenant},
		})
		if err != nil {
			f.t.Fatal(err)
		}
		f.waiting[queue] = append(f.waiting[queue], waitingTask{ref.TaskID(), tenant})
	}
}

func ownerOf(id, tenant string) string {
	return turns.Owner(tenant, asynqtask.ParseJobRef(id).Job)
}

// held counts the tasks under way on all processes, or on one, by owner.
func (f *fleet) held(of ...*process) map[string]int {
	if of == nil {
		of = f.processes
	}
	held := map[string]int{}
	for _, p := range of {
		for id, task := range p.running {
			held[ownerOf(id, task.tenant)]++
		}
	}
	return held
}

func (f *fleet) isCapped(tenant string) bool {
	return tenant != "" && f.held()["t:"+tenant] >= f.perTenant
}

// fill lets a process take tasks until it finds none that it may run.
func (f *fleet) fill(p *process) {
	for idle := 0; idle < len(simulatedQueues); {
		queue := simulatedQueues[f.rng.IntN(len(simulatedQueues))]
		clear(p.pool.caps.reached) // as after askAgain
		before, heldHere := f.held(), f.held(p)
		task, state, err := p.pool.Take(f.t.Context(), p.queues, queue)
		if err != nil {
			f.t.Fatal(err)
		}
		if state != turns.Found {
			f.checkNothingWasLeft(p, queue)
			idle++
			continue
		}
		idle = 0
		f.checkTurn(p, queue, task, before, heldHere)
		leave, ok := p.pool.Enter(task.ID)
		if !ok {
			f.t.Fatalf("there is no place for %s", task.ID)
		}
		f.waiting[queue] = slices.DeleteFunc(f.waiting[queue], func(w waitingTask) bool { return w.id == task.ID })
		p.running[task.ID] = &runningTask{queue, task.Tenant, leave, 1 + f.rng.IntN(6)}
		f.checkPlaces(p)
	}
}

// checkTurn checks that no owner who had fewer tasks of the queue under
// way was passed over. While an owner waits who has none, no other gets
// two turns: so it waits for at most as many turns as there are owners.
func (f *fleet) checkTurn(p *process, queue string, taken turns.Task, held, heldHere map[string]int) {
	onQueue := map[string]int{}
	for _, other := range f.processes {
		for id, task := range other.running {
			if task.queue == queue || other == p {
				onQueue[ownerOf(id, task.tenant)]++
			}
		}
	}
	full := len(p.running) == f.slots // only the guest place was left
	waits := map[string]bool{}        // owners with nothing under way who might have had the turn
	for _, w := range f.waiting[queue] {
		owner := ownerOf(w.id, w.tenant)
		capped := w.tenant != "" && held[owner] >= f.perTenant
		if capped || full && heldHere[owner] > 0 {
			continue
		}
		if onQueue[owner] < onQueue[taken.Owner()] {
			f.t.Fatalf("%s got a turn on %s with %d tasks under way, %s waits with %d",
				taken.ID, queue, onQueue[taken.Owner()], w.id, onQueue[owner])
		}
		if onQueue[owner] == 0 {
			waits[owner] = true
		} else {
			delete(f.turns, queue+" "+owner)
		}
	}
	delete(f.turns, queue+" "+taken.Owner())
	delete(waits, taken.Owner())
	for owner := range waits {
		others := f.turns[queue+" "+owner]
		if others == nil {
			others = map[string]int{}
			f.turns[queue+" "+owner] = others
		}
		if others[taken.Owner()]++; others[taken.Owner()] > 1 {
			f.t.Fatalf("%s got a second turn on %s while %s waits", taken.Owner(), queue, owner)
		}
		f.longest = max(f.longest, len(others))
	}
}

// checkPlaces checks the limits of a process and of all.
func (f *fleet) checkPlaces(p *process) {
	if n := len(p.running); n > f.slots+1 {
		f.t.Fatalf("%d tasks on %d slots", n, f.slots)
	}
	low := 0
	for _, task := range p.running {
		if task.queue == tasks.PriorityLow.Queue(tasks.QueueShards) {
			low++
		}
	}
	if low > f.slots {
		f.t.Fatal("low priority has every place")
	}
	for owner, n := range f.held(p) {
		if n > f.slots {
			f.t.Fatalf("%s has every place", owner)
		}
	}
	for owner, n := range f.held() {
		if n > f.perTenant && owner[0] == 't' {
			f.t.Fatalf("%s has %d tasks under way, the cap is %d", owner, n, f.perTenant)
		}
	}
}

// checkNothingWasLeft checks that no slot is idle while a task waits
// that may run.
func (f *fleet) checkNothingWasLeft(p *process, queue string) {
	if len(p.running) >= f.slots {
		return
	}
	for _, w := range f.waiting[queue] {
		if !f.isCapped(w.tenant) {
			f.t.Fatalf("%d of %d slots are used, and %s waits: %v", len(p.running), f.slots, w.id, f.held())
		}
	}
}

// end ends the tasks whose time is over, as asynq does.
func (f *fleet) end(p *process) {
	for id, task := range p.running {
		if task.rounds--; task.rounds > 0 {
			continue
		}
		f.remove(id, task.queue)
		f.redis.Del(f.t.Context(), "asynq:{"+task.queue+"}:t:"+id)
		task.leave()
		delete(p.running, id)
		f.done++
	}
}

func (f *fleet) remove(id, queue string) {
	f.redis.LRem(f.t.Context(), "asynq:{"+queue+"}:active", 0, id)
	f.redis.ZRem(f.t.Context(), "asynq:{"+queue+"}:lease", id)
}

// kill kills a process, and lets all its leases end. asynq then puts its
// tasks back on the queue.
func (f *fleet) kill(i int) {
	ctx, p := f.t.Context(), f.processes[i]
	for id, task := range p.running {
		f.remove(id, task.queue)
		f.redis.HSet(ctx, "asynq:{"+task.queue+"}:t:"+id, "state", "pending")
		f.redis.RPush(ctx, "asynq:{"+task.queue+"}:pending", id)
		f.waiting[task.queue] = append([]waitingTask{{id, task.tenant}}, f.waiting[task.queue]...)
		if task.tenant != "" {
			key := schema.Key(schema.Cap, "shards:tenant:"+task.tenant)
			f.redis.ZAddXX(ctx, key, redis.Z{Score: float64(time.Now().Add(-time.Hour).UnixMilli()), Member: p.pool.caps.holder(id)})
		}
	}
	f.processes[i] = f.newProcess()
}

// Many tenants share a fleet whose processes are killed at random. Each
// cap holds. No owner and no low priority has every place. Nobody gets a
// second turn before those who have none, so nobody waits for long. No
// slot is idle while a task waits that may run.
func TestSharesOfAFleet(t *testing.T) {
	t.Parallel()
	for seed, c := range []struct{ processes, slots, perTenant int }{
		{1, 1, 2}, {1, 4, 3}, {3, 2, 4}, {4, 1, 1},
	} {
		t.Run(fmt.Sprintf("%d processes with %d slots, cap %d", c.processes, c.slots, c.perTenant), func(t *testing.T) {
			t.Parallel()
			f := newFleet(t, uint64(seed), c.processes, c.slots, c.perTenant)
			for range 40 {
				f.enqueue()
			}
			for round := 0; f.left() > 0; round++ {
				if round < 60 {
					f.enqueue()
				}
				if f.rng.IntN(10) == 0 {
					f.kill(f.rng.IntN(len(f.processes)))
				}
				for _, p := range f.processes {
					f.end(p)
					f.fill(p)
				}
				if round > 3000 {
					t.Fatalf("%d tasks are left", f.left())
				}
			}
			t.Logf("%d tasks; an owner waited for at most %d turns of others", f.done, f.longest)
		})
	}
}

// left returns how many tasks have not ended.
func (f *fleet) left() (n int) {
	for _, queue := range simulatedQueues {
		n += len(f.waiting[queue])
	}
	for _, p := range f.processes {
		n += len(p.running)
	}
	return n
}
