package producer_test

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
)

// info returns one number from INFO, 0 if it is not there.
func info(t *testing.T, r redis.UniversalClient, section, pattern string) int {
	t.Helper()
	text, err := r.Info(t.Context(), section).Result()
	if err != nil {
		t.Fatal(err)
	}
	match := regexp.MustCompile(pattern + `(\d+)`).FindStringSubmatch(text)
	if match == nil {
		return 0
	}
	n, err := strconv.Atoi(match[1])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A hundred waits for long jobs use one connection, and a few
// commands each: they do not poll.
func TestWaitsAreCheap(t *testing.T) {
	t.Parallel()
	o := queuetest.Start(t).Options()
	c, r := client(t, o), store(t, o)
	raw := o.Client()
	defer func() { _ = raw.Close() }()
	leases := make([]queue.Lease, 100)
	for i := range leases {
		leases[i] = claim(t, r, fmt.Sprint("j", i))
	}
	var wg sync.WaitGroup
	for _, l := range leases {
		wg.Go(func() {
			if s, err := c.Wait(t.Context(), l.ID, nil); err != nil || s.State != tasks.StateSucceeded {
				t.Errorf("%s: %+v, %v", l.ID, s, err)
			}
		})
	}
	lasting, cancel := context.WithTimeout(t.Context(), 4*time.Second) // the time that is measured
	defer cancel()
	<-lasting.Done()
	if n := info(t, raw, "clients", "blocked_clients:"); n != 1 {
		t.Errorf("%d connections wait for events", n)
	}
	if n := info(t, raw, "commandstats", "cmdstat_hgetall:calls="); n < 100 || n > 200 {
		t.Errorf("%d reads of a record by 100 waits while nothing happened", n)
	}
	for _, l := range leases {
		if err := end(t.Context(), r, l, outcome{result: `{}`}); err != nil {
			t.Fatal(err)
		}
	}
	wg.Wait()
	// Publish reads a record too, once.
	if n := info(t, raw, "commandstats", "cmdstat_hgetall:calls="); n > 400 {
		t.Errorf("%d reads of a record", n)
	}
	if n := info(t, raw, "commandstats", "cmdstat_xread:calls="); n == 0 || n > 105 {
		t.Errorf("%d reads of the stream", n)
	}
	queuetest.Eventually(t, 5*time.Second, "the stream is no longer read", func() bool {
		return info(t, raw, "clients", "blocked_clients:") == 0
	})
}

// The job ends just after the first look, before its events are
// read.
func TestWaitMissesNoEnd(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c, r := client(t, o), store(t, o)
	var wg sync.WaitGroup
	start := time.Now()
	for i := range 20 {
		l := claim(t, r, fmt.Sprint("j", i))
		wg.Go(func() {
			var once sync.Once
			s, err := c.Wait(t.Context(), l.ID, func(tasks.Status) {
				once.Do(func() {
					if err := end(t.Context(), r, l, outcome{result: `{}`}); err != nil {
						t.Error(err)
					}
				})
			})
			if err != nil || s.State != tasks.StateSucceeded {
				t.Errorf("%+v, %v", s, err)
			}
		})
	}
	wg.Wait()
	if took := time.Since(start); took > 4*time.Second {
		t.Errorf("found out after %v", took)
	}
}

func TestWaitSeesWhatHappens(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c := client(t, o)
	work(t, o, func(context.Context, queue.Lease) outcome { return outcome{result: `{}`, objects: 3} })
	id := enqueue(t, c, manifest)
	var seen []tasks.State
	s, err := c.Wait(t.Context(), id, func(s tasks.Status) { seen = append(seen, s.State) })
	if err != nil || s.State != tasks.StateSucceeded || s.Progress.Objects != 3 || seen[len(seen)-1] != tasks.StateSucceeded {
		t.Errorf("%+v, %v, saw %v", s, err, seen)
	}
}

func TestWaitSurvivesOutage(t *testing.T) {
	t.Parallel()
	server := queuetest.Start(t)
	c, r := client(t, server.Options()), store(t, server.Options())
	l := claim(t, r, "j")
	looked, ended := make(chan struct{}, 100), make(chan tasks.Status, 1)
	go func() {
		s, err := c.Wait(t.Context(), "j", func(tasks.Status) { looked <- struct{}{} })
		if err != nil {
			t.Error(err)
		}
		ended <- s
	}()
	<-looked // the first look
	<-looked // events are read now
	server.Down()
	server.Up()
	if err := end(t.Context(), r, l, outcome{result: `{}`}); err != nil {
		t.Fatal(err)
	}
	select {
	case s := <-ended:
		if s.State != tasks.StateSucceeded {
			t.Errorf("%+v", s)
		}
	case <-time.After(10 * time.Second):
		t.Error("the wait does not end after Redis came back")
	}
}

// If the stream cannot be read, waits look at the record every
// second.
func TestWaitWithoutEvents(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c, r := client(t, o), store(t, o)
	raw := o.Client()
	defer func() { _ = raw.Close() }()
	if err := raw.Set(t.Context(), queue.EventsStream, "no stream", 0).Err(); err != nil {
		t.Fatal(err)
	}
	l := claim(t, r, "j")
	start, looks := time.Now(), 0
	s, err := c.Wait(t.Context(), "j", func(tasks.Status) {
		if looks++; looks == 2 {
			_ = end(t.Context(), r, l, outcome{result: `{}`}) // its event cannot be sent
		}
	})
	if err != nil || s.State != tasks.StateSucceeded || time.Since(start) > 5*time.Second {
		t.Errorf("%+v, %v after %v", s, err, time.Since(start))
	}
}

func TestCloseEndsWaits(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c := client(t, o)
	claim(t, store(t, o), "j")
	looked, ended := make(chan struct{}, 100), make(chan error, 1)
	go func() {
		_, err := c.Wait(t.Context(), "j", func(tasks.Status) { looked <- struct{}{} })
		ended <- err
	}()
	<-looked
	<-looked
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	select {
	case err := <-ended:
		if err == nil {
			t.Error("a wait without an end has no error")
		}
	case <-time.After(5 * time.Second):
		t.Error("the wait goes on")
	}
}
