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
	word, _, _ := strings.Cut(answer.Error(), " ")
	return slices.Contains([]string{
		"LOADING", "READONLY", "MASTERDOWN", "NOREPLICAS", "CLUSTERDOWN", "TRYAGAIN", "BUSY", "OOM",
	}, word) || strings.HasPrefix(answer.Error(), "ERR max number of clients")
}

// markOutage adds ErrUnavailable to the errors of an outage where
// they arise.
type markOutage struct{ passHook }

func (markOutage) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if err != nil && isOutage(err) && !errors.Is(err, ErrUnavailable) {
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		return err
	}
}

// Explain adds to the error of an outage which Redis it is about, and
// which setting to check. Any other error stays as it is.
func (o Options) Explain(err error) error {
	if !errors.Is(Wrap(err, "redis"), ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w (check %s)", Wrap(err, "%s", o), setting.RedisURL)
}
