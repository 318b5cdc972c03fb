package queue

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

// ErrAway means that Redis was not reached, or is not ready, or is full: the
// same call may succeed later.
var ErrAway = errors.New("redis does not answer")

// Wrap adds to an error of Redis or asynq what was being done, and ErrAway
// when that is what it means. nil stays nil.
func Wrap(err error, format string, args ...any) error {
	switch doing := fmt.Sprintf(format, args...); {
	case err == nil:
		return nil
	case isConnection(err) && !errors.Is(err, ErrAway):
		return fmt.Errorf("%s: %w: %w", doing, ErrAway, err)
	default:
		return fmt.Errorf("%s: %w", doing, err)
	}
}

// isConnection reports whether an error means that Redis was not reached, or
// is not ready yet, rather than that it answered with a refusal.
func isConnection(err error) bool {
	var netErr net.Error
	var redisErr redis.Error
	switch {
	case err == nil:
		return false
	case errors.As(err, &redisErr) && !errors.Is(err, redis.Nil):
		word, _, _ := strings.Cut(redisErr.Error(), " ")
		return slices.Contains([]string{"LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "BUSY", "OOM"}, word) ||
			strings.HasPrefix(redisErr.Error(), "ERR max number of clients")
	case errors.As(err, &netErr), errors.Is(err, context.DeadlineExceeded), errors.Is(err, redis.ErrClosed):
		return true
	}
	return strings.Contains(err.Error(), "EOF") || strings.Contains(err.Error(), "connection")
}
