package redisconn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks/setting"
)

// ErrUnavailable means that Redis was not reached, or is not ready,
// or is full: the same call may succeed later.
var ErrUnavailable = errors.New("redis does not answer")

// Wrap adds to an error of Redis or asynq what was being done, and
// ErrUnavailable if the error means that. nil stays nil.
func Wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	doing := fmt.Sprintf(format, args...)
	if isOutage(err) && !errors.Is(err, ErrUnavailable) {
		return fmt.Errorf("%s: %w: %w", doing, ErrUnavailable, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// isOutage reports whether an error means that Redis was not reached
// or is not ready, rather than that it refused the command.
func isOutage(err error) bool {
	var refusal redis.Error
	if errors.As(err, &refusal) && !errors.Is(err, redis.Nil) {
		return isNotReady(refusal)
	}

	// net.Error includes syscall.Errno, net.OpError, net.DNSError and
	// context.DeadlineExceeded.
	if errors.As(err, new(net.Error)) {
		return true
	}
	for _, outage := range []error{
		io.EOF, io.ErrUnexpectedEOF, context.DeadlineExceeded,
		redis.ErrClosed, redis.ErrPoolTimeout, redis.ErrPoolExhausted,
	} {
		if errors.Is(err, outage) {
			return true
		}
	}

	// asynq keeps only the text of a script's error. markOutage has
	// put this text into it.
	return strings.Contains(err.Error(), ErrUnavailable.Error())
}

// isNotReady reports whether an answer of Redis will be another one
// later, without a change to the command.
func isNotReady(answer redis.Error) bool {
	return slices.Contains([]string{
		"LOADING", "READONLY", "MASTERDOWN", "NOREPLICAS", "CLUSTERDOWN", "TRYAGAIN", "BUSY", "OOM",
		"MISCONF",      // Redis cannot write to its disk
		"MOVED", "ASK", // the nodes of a cluster have just changed
		"UNBLOCKED", // a master has become a replica during a blocking read
	}, firstWord(answer)) || strings.HasPrefix(answer.Error(), "ERR max number of clients")
}

func firstWord(err error) string {
	word, _, _ := strings.Cut(err.Error(), " ")
	return word
}

// Explain adds to an error which Redis it is about, and which setting
// to check. It does so for an outage and when Redis refuses the login.
// Any other error stays as it is.
func (o Options) Explain(err error) error {
	var answer redis.Error
	switch {
	case errors.Is(Wrap(err, "redis"), ErrUnavailable):
		return fmt.Errorf("%w (check %s)", Wrap(err, "%s", o), setting.RedisURL)
	case errors.As(err, &answer) && isRefusedLogin(answer):
		return fmt.Errorf("%s refuses the login: %w (check user, password and database in %s)",
			o, err, setting.RedisURL)
	}
	return err
}

// isRefusedLogin reports whether Redis has answered that it does not
// accept the user, the password or the database.
func isRefusedLogin(answer redis.Error) bool {
	if slices.Contains([]string{"WRONGPASS", "NOAUTH", "DENIED"}, firstWord(answer)) {
		return true
	}
	for _, text := range []string{ // of Redis before 6, and of a database that is not there
		"ERR invalid password", "ERR AUTH", "ERR Client sent AUTH", "ERR DB index",
	} {
		if strings.HasPrefix(answer.Error(), text) {
			return true
		}
	}
	return false
}

// ExplainStart is Explain for an error of Check. Whatever the error is,
// it says which Redis it is about.
func (o Options) ExplainStart(err error) error {
	explained := o.Explain(err)
	switch {
	case explained.Error() != err.Error():
		return explained
	case errors.Is(err, ErrVersion):
		return fmt.Errorf("%s: %w", o, err)
	case o.Mode == Sentinel && errors.Is(err, redis.Nil):
		return fmt.Errorf("%s: the sentinels know no master of this name (check %s)",
			o, setting.RedisURL)
	}
	return fmt.Errorf("%s refuses this program: %w (check %s)", o, err, setting.RedisURL)
}
