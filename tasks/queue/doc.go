// Package queue is what producers and workers share in Redis: the
// names of keys, the shape of asynq tasks, and a job's record with
// the Lua scripts that change it.
//
// It knows no cloud and no job: a payload, a part and a result are
// bytes to it.
package queue
