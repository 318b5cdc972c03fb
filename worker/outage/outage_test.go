package outage

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// asynq ends the process after its own Fatal, unless the logger that it
// was given does not.
func TestAsynqMustNotEndTheProcess(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	AsynqLog{log: slog.New(slog.NewTextHandler(&text, nil))}.Fatal("redis", " is away")
	if !strings.Contains(text.String(), "level=ERROR") || !strings.Contains(text.String(), "redis is away") {
		t.Error(text.String())
	}
}

// An error of asynq is logged, but not one that an outage has caused.
func TestErrorsOfAnOutageAreNotLogged(t *testing.T) {
	t.Parallel()
	down := redisconn.Wrap(errors.New("EOF"), "dequeue: %v", redisconn.ErrUnavailable)
	for _, c := range []struct {
		err    error
		isAway bool
		logged bool
	}{
		{errors.New("NOPERM"), false, true},
		{errors.New("WRONGPASS"), true, false},
		{down, false, false},
	} {
		var text strings.Builder
		away := func() bool { return c.isAway }
		AsynqLog{slog.New(slog.NewTextHandler(&text, nil)), away}.Error("Dequeue error: ", c.err)
		if (text.Len() > 0) != c.logged {
			t.Errorf("%v, away %v: %q", c.err, c.isAway, text.String())
		}
	}
}
