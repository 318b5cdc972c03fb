package redisconn

import (
	"context"
	"sync"

	"github.com/redis/go-redis/v9"
)

// silence drops what go-redis writes to standard error on its own: a
// line for each failed connection, of which the caller gets the error
// too. go-redis has only one logger in a process. So this is done once,
// when the first client is made; a program that wants those lines calls
// redis.SetLogger after that.
var silence = sync.OnceFunc(func() { redis.SetLogger(quiet{}) })

type quiet struct{}

func (quiet) Printf(context.Context, string, ...any) {}
