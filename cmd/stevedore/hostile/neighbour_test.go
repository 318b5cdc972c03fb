package hostile

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// neighbour is another tenant. It has one small job at a time, on a
// server that does nothing wrong.
type neighbour struct {
	alone    time.Duration // the longest of its jobs before the attack
	attacked time.Duration // the longest of its jobs during the attack
	slowest  string        // the kind of that job
	jobs     int
}

// run runs jobs of each kind in turn until ctx ends.
func (n *neighbour) run(ctx context.Context, t *testing.T, s *site) {
	for ; ctx.Err() == nil; n.jobs++ {
		kind := jobs[n.jobs%len(jobs)]
		if took := s.small(t, kind, n.jobs); took > n.attacked {
			n.attacked, n.slowest = took, kind
		}
	}
}

// small runs a small job of the neighbour and returns how long it
// took.
func (s *site) small(t *testing.T, kind string, number int) time.Duration {
	c := cell{s.elsewhere(), kind, "no", fmt.Sprint("behaviour", number)}
	job := payload(c, s.secrets.storage(t, s.server, c, c.bucket("n")), time.Time{})
	begun := time.Now()
	id := s.enqueue(t, tasks.WithTerms(job, tasks.Terms{Tenant: "neighbour"}))
	status, err := s.wait(t, id)
	if err != nil || status.State != tasks.StateSucceeded {
		t.Errorf("%s of the neighbour: %s, %v", kind, describe(status, err), status.Failure)
	}
	return time.Since(begun)
}

// elsewhere returns another cloud than the one that attacks.
func (s *site) elsewhere() string {
	if s.cloud == "s3" {
		return "azure"
	}
	return "s3"
}
