package redisconn_test

import (
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// A user with AccessRules can use our keys and nothing else.
func TestAccessRulesAreNarrow(t *testing.T) {
	t.Parallel()
	o := queuetest.StartACL(t).Options()
	c := o.Client()
	defer func() { _ = c.Close() }()
	for _, command := range []string{
		"SET stevedore:{j}:job x", "XADD stevedore:events * k v", "PUBLISH stevedore:x y",
		"PUBLISH asynq:cancel id", "INFO", "TIME",
	} {
		if err := do(t, c, command); err != nil {
			t.Errorf("%s: %v", command, err)
		}
	}
	for _, command := range []string{
		"SET other x", "GET other", "PUBLISH other y", "EVAL return(redis.call('get','other')) 0",
		"FLUSHALL", "FLUSHDB", "KEYS *", "CONFIG GET maxmemory", "CLIENT LIST", "ACL LIST",
		"SHUTDOWN", "FUNCTION FLUSH", "SCRIPT FLUSH", "SAVE", "SWAPDB 0 1",
	} {
		err := do(t, c, command)
		denied := err != nil &&
			(strings.Contains(err.Error(), "permission") || strings.Contains(err.Error(), "can't access"))
		if !denied {
			t.Errorf("%s: %v", command, err)
		}
	}
	other := redisconn.Options{Addr: o.Addr}.Client()
	defer func() { _ = other.Close() }()
	if err := other.Ping(t.Context()).Err(); err == nil {
		t.Error("the default user can log in")
	}
}

func do(t *testing.T, c redis.UniversalClient, command string) error {
	t.Helper()
	var args []any
	for _, word := range strings.Fields(command) {
		args = append(args, word)
	}
	return c.Do(t.Context(), args...).Err()
}
