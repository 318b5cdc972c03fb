package tasks_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
)

func TestPoliciesCanBeRun(t *testing.T) {
	t.Parallel()
	queues := []string{tasks.QueueVerify, tasks.QueueJobs, tasks.QueueExports} // QueueShards is for shards only
	for _, k := range tasks.Kinds() {
		t.Run(k.Name, func(t *testing.T) {
			t.Parallel()
			p := k.Policy
			if p.Timeout <= 0 || p.Timeout%time.Second != 0 {
				t.Errorf("Timeout is %v, want whole seconds above zero", p.Timeout)
			}
			if p.Attempts < 1 {
				t.Errorf("Attempts is %d, want at least 1", p.Attempts)
			}
			if p.Keep <= 0 {
				t.Errorf("Keep is %v, want more than nothing", p.Keep)
			}
			if !slices.Contains(queues, p.Queue) {
				t.Errorf("Queue is %q, want one of %q", p.Queue, queues)
			}
		})
	}
}

// asynq picks a handler by prefix. A kind whose name begins another
// name would get its tasks.
func TestNoKindBeginsAnother(t *testing.T) {
	t.Parallel()
	for _, a := range tasks.Kinds() {
		for _, b := range tasks.Kinds() {
			if a.Name != b.Name && strings.HasPrefix(b.Name, a.Name) {
				t.Errorf("%q begins %q", a.Name, b.Name)
			}
		}
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	var names []string
	for _, k := range tasks.Kinds() {
		got, err := tasks.Lookup(k.Name)
		if err != nil || got.Name != k.Name || got.Policy != k.Policy {
			t.Errorf("Lookup(%q) = %q, %v", k.Name, got.Name, err)
		}
		names = append(names, k.Name)
	}
	want := []string{"verify-connection", "build-manifest", "generate-thumbnails", "export-annotations"}
	if !slices.Equal(names[:min(len(names), len(want))], want) {
		t.Errorf("kinds are %q, want %q first", names, want)
	}
	for _, wrong := range []string{"", "build", "build-manifest-2", "BUILD-MANIFEST"} {
		if _, err := tasks.Lookup(wrong); err == nil || !strings.Contains(err.Error(), strings.Join(names, ", ")) {
			t.Errorf("Lookup(%q): %v, want an error that lists the kinds", wrong, err)
		}
	}
}

func TestKindsBelongToTheCaller(t *testing.T) {
	t.Parallel()
	mine := tasks.Kinds()
	mine[0].Name = "scribble"
	if tasks.Kinds()[0].Name == "scribble" {
		t.Error("writing to the slice changed the table")
	}
}

func TestFinalStates(t *testing.T) {
	t.Parallel()
	final := map[tasks.State]bool{
		tasks.StateQueued: false, tasks.StatePlanning: false, tasks.StateRunning: false, tasks.StateFinishing: false,
		tasks.StateSucceeded: true, tasks.StateFailed: true, tasks.StateCancelled: true, "": false,
	}
	for s, want := range final {
		if s.Final() != want {
			t.Errorf("State(%q).Final() = %v, want %v", s, !want, want)
		}
	}
}
