// Package hostile tests a worker under attack. A server of
// deploy/emulators does something wrong on purpose, in the APIs of all
// clouds. Each of its behaviours meets each kind of job on each cloud,
// in real worker processes with a small memory budget, many at once.
//
// Meanwhile a worker keeps its memory within bounds and does not die,
// a job keeps little in Redis, the jobs of another tenant get their
// turns, and cancel, deadline and SIGTERM take effect soon.
//
// STEVEDORE_HOSTILE chooses the cells: all, or a regular expression
// that matches names like s3/build-manifest/list/endless. Without it
// the test takes one cell of each behaviour.
package hostile

import (
	"context"
	"os"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/providers/providertest/servers"
)

const (
	partsBudget = 8 << 20 // what a job may keep in Redis, bytes
	shardSlots  = 6

	maxResident = 600 << 20 // bytes
	maxRedis    = partsBudget + 1<<20
)

// promises are what is promised to tenants.
type promises struct {
	neighbour time.Duration // how long a small job of another tenant takes, at most
	stop      time.Duration // from cancel, deadline or SIGTERM to the job's end, at most
	oneByOne  bool          // the clouds do not share the machine
}

// promisesFor returns what is promised if all cells run, for which the
// machine must be idle. Other runs are parts of a test of everything,
// on a busy machine, and get more time.
func promisesFor(chosen string) promises {
	if chosen == "all" {
		return promises{neighbour: 5 * time.Second, stop: 2 * time.Second, oneByOne: true}
	}
	return promises{neighbour: 30 * time.Second, stop: 20 * time.Second}
}

// parallel says how many cells of a group a worker runs at once: all
// its slots are taken.
var parallel = map[string]int{verify: 4, "sharded": 6, export: 2}

var jobs = []string{verify, manifest, thumbnails, export}

func TestHostileServers(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it starts processes: run it without -short")
	}
	server := servers.Hostile(t)
	results := make([][]*result, 3)
	promised := promisesFor(os.Getenv("STEVEDORE_HOSTILE"))
	var wg sync.WaitGroup
	for i, cloud := range []string{"azure", "gcs", "s3"} {
		s := newSite(t, server, cloud)
		wg.Go(func() { results[i] = s.test(t, promised) })
		if promised.oneByOne {
			wg.Wait()
		}
	}
	wg.Wait()
	printTable(t.Output(), slices.Concat(results...))
}

// test runs all cells of a site.
func (s *site) test(t *testing.T, promised promises) []*result {
	stopWatching := s.background(t)
	used, alone := s.honest(t)
	n := neighbour{alone: alone}
	ctx, stop := context.WithCancel(t.Context())
	var neighbours sync.WaitGroup
	neighbours.Go(func() { n.run(ctx, t, s) })

	begun := time.Now()
	results := s.attack(t, s.cells(used))
	long := slices.DeleteFunc(slices.Clone(results), func(r *result) bool { return r.took < longCell })
	attacked := time.Since(begun)
	s.cancel(t, long)
	cancelled := time.Since(begun)
	stop()
	neighbours.Wait()
	s.terminate(t, long)
	stopWatching()
	s.settle(results)
	t.Logf("%s: %d cells, of which %d are long; attack %s, cancel %s, SIGTERM %s; "+
		"%d MB at most, SIGTERM took at most %s; "+
		"%d jobs of the neighbour took at most %s (%s), %s alone",
		s.cloud, len(results), len(long), attacked.Round(time.Second), (cancelled - attacked).Round(time.Second),
		(time.Since(begun) - cancelled).Round(time.Second), s.peak>>20, s.exits.Round(time.Millisecond),
		n.jobs, n.attacked.Round(time.Millisecond), n.slowest, alone.Round(time.Millisecond))
	s.check(t, results, n, promised)
	return results
}

// check fails the test for each promise that was not kept.
func (s *site) check(t *testing.T, results []*result, n neighbour, promised promises) {
	for _, death := range s.deaths {
		t.Errorf("%s: %s", s.cloud, death)
	}
	if s.peak > maxResident {
		t.Errorf("%s: a worker took %d MB", s.cloud, s.peak>>20)
	}
	if s.exits > promised.stop {
		t.Errorf("%s: a worker took %s to end", s.cloud, s.exits)
	}
	if n.attacked > promised.neighbour {
		t.Errorf("%s: a job of the neighbour took %s", s.cloud, n.attacked)
	}
	for _, r := range results {
		slow := max(r.cancelled, r.terminated, r.late) > promised.stop
		if slow || r.redis > maxRedis || r.outcome == "internal" {
			t.Errorf("%s: %s", r.cell, r.text())
		}
	}
}

// honest runs every kind of job on a server that does nothing wrong.
// It returns which operations each uses, and how long the slowest of
// the neighbour's jobs takes alone.
func (s *site) honest(t *testing.T) (used map[string]map[string]bool, alone time.Duration) {
	const name = "honest"
	at := slices.IndexFunc(s.server.Behaviours, func(b servers.Behaviour) bool { return b.Name == name })
	var cells []cell
	used = map[string]map[string]bool{}
	for _, job := range jobs {
		used[job] = map[string]bool{}
		for _, op := range s.server.Behaviours[at].Operations {
			if op != token || s.cloud != "azure" { // whose sign-in is always Microsoft's
				cells = append(cells, cell{s.cloud, job, op, name})
			}
		}
		alone = max(alone, s.small(t, job, -1))
	}
	for _, r := range s.attack(t, cells) {
		used[r.cell.job][r.cell.operation] = r.hits > 0
		if r.outcome != "succeeded" {
			t.Errorf("%s: %s", r.cell, r.text())
		}
	}
	return used, alone
}

// cells returns the chosen cells: of each behaviour the operations and
// jobs that meet it.
func (s *site) cells(used map[string]map[string]bool) (cells []cell) {
	clouds := []string{"azure", "gcs", "s3"}
	for i, b := range s.server.Behaviours {
		var all []cell
		for _, op := range b.Operations {
			for _, job := range jobs {
				if b.Name != "honest" && uses(job, op, used[job]) {
					all = append(all, cell{s.cloud, job, op, b.Name})
				}
			}
		}
		switch chosen := os.Getenv("STEVEDORE_HOSTILE"); {
		case chosen == "all" || len(all) == 0:
		case chosen == "" && clouds[i%len(clouds)] == s.cloud:
			all = all[i*7%len(all):][:1]
		case chosen == "":
			all = nil
		default:
			pattern := regexp.MustCompile(chosen)
			all = slices.DeleteFunc(all, func(c cell) bool { return !pattern.MatchString(c.String()) })
		}
		cells = append(cells, all...)
	}
	return cells
}
