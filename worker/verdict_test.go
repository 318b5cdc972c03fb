package worker

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/providers"
)

// What asynq makes of an answer decides about attempts, so the answers are
// tested against asynq's own rules.
func TestAnswer(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	for _, c := range []struct {
		phase             string
		outcome           outcome
		counts, archives  bool
		revokes, succeeds bool
	}{
		{phaseJob, done, true, false, false, true},
		{phaseJob, retry, true, false, false, false},
		{phaseJob, snooze, false, false, false, false},
		{phaseJob, handover, false, false, false, false},
		{phaseJob, failed, true, true, false, false},
		{phaseJob, fenced, true, false, true, false},
		{phaseJob, obsolete, true, false, false, true},
		{phaseJob, cancelled, true, false, false, true},
		{phaseShard, failed, true, false, false, true},
	} {
		v := newVerdict(c.outcome, cause, 0)
		err := wording{}.answer(attempt{phase: c.phase}, v)
		if isFailure(err) != c.counts || errors.Is(err, asynq.SkipRetry) != c.archives ||
			errors.Is(err, asynq.RevokeTask) != c.revokes || (err == nil) != c.succeeds {
			t.Errorf("%s of a %s gives %v", c.outcome, c.phase, err)
		}
	}
}

func TestRetryDelay(t *testing.T) {
	t.Parallel()
	answer := func(o outcome, err error) error {
		return wording{}.answer(attempt{}, newVerdict(o, err, 0))
	}
	throttled := &providers.Error{Op: "get", Kind: providers.Throttled, RetryAfter: 42 * time.Second}
	for _, c := range []struct {
		name     string
		n        int
		err      error
		min, max time.Duration
	}{
		{"handed over", 0, answer(handover, errDrain), 0, 0},
		{"as the cloud says", 0, answer(snooze, throttled), 42 * time.Second, 42 * time.Second},
		{"as the cloud does not say", 0, answer(snooze, errors.New("?")), throttledPause, throttledPause},
		{"already running here", 0, answer(snooze, errAlreadyRunning), alreadyRunningPause, alreadyRunningPause},
		{"retry", 0, answer(retry, errors.New("?")), time.Second, 3 * time.Second},
		{"worker died", 3, asynq.ErrLeaseExpired, 0, 0},
		{"asynq was asked to cancel the task", 3, context.Canceled, 0, 0},
		{"first failure that asynq found", 0, errors.New("?"), time.Second, 3 * time.Second},
		{"many failures that asynq found", 5000, errors.New("?"), time.Second, 121 * time.Second},
	} {
		for range 50 {
			if got := retryDelay(c.n, c.err, nil); got < c.min || got > c.max {
				t.Errorf("%s: %v, want %v to %v", c.name, got, c.min, c.max)
			}
		}
	}
}

// asynq ends the process after its own Fatal, unless the logger that it was
// given does not.
func TestAsynqMustNotEndTheProcess(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	asynqLog{slog.New(slog.NewTextHandler(&text, nil))}.Fatal("redis", " is away")
	if !strings.Contains(text.String(), "level=ERROR") || !strings.Contains(text.String(), "redis is away") {
		t.Error(text.String())
	}
}
