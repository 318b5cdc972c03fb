// Package lua holds the scripts that change a job's record in
// Redis, one a file. Each runs as a whole or not at all.
//
// A script may run twice for one call, because go-redis sends a
// call again if the answer was lost. Twice must do the same as
// once. Times that are compared are the server's own.
//
// In the scripts, single quotes hold only names of fields. All
// other text is in double quotes. The header of a file says, each
// from a line such as "-- KEYS: record, runs":
//
//	KEYS  keys by their names in package schema
//	ARGV  arguments; the last may end with ... and is then a list
//	USES  files of the folder shared that the script needs
package lua

import (
	"context"
	"embed"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks/queue/schema"
)

//go:embed *.lua shared/*.lua
var files embed.FS

// The scripts. What each does stands in its file.
var (
	Create          = load("create")
	Claim           = load("claim")
	Heartbeat       = load("heartbeat")
	Suspend         = load("suspend")
	Plan            = load("plan")
	Advance         = load("advance")
	Publish         = load("publish")
	Cancel          = load("cancel")
	BeginRetry      = load("begin_retry")
	Flush           = load("flush")
	Track           = load("track")
	Postpone        = load("postpone")
	Unattended      = load("unattended")
	Inspect         = load("inspect")
	TakeOver        = load("take_over")
	BeginCareful    = load("begin_careful")
	StartShard      = load("start_shard")
	Commit          = load("commit")
	HeartbeatShards = load("heartbeat_shards")
	SuspendShard    = load("suspend_shard")
	MarkSuspect     = load("mark_suspect")
	ReplaceShard    = load("replace_shard")
	FailShard       = load("fail_shard")
	HoldCap         = load("hold_cap")
)

// Script is a script with the names of its keys and arguments.
type Script struct {
	name   string
	header header
	script *redis.Script
	err    error // of a file that cannot be read; a test finds it
}

// Args are the arguments of a call, by the names in the script's
// header.
type Args map[string]any

// List is an argument that is a list.
type List []any

func load(name string) *Script {
	source, h, err := read(name + ".lua")
	for _, key := range h.keys {
		if err == nil && schema.Key(key, "id") == "" {
			err = fmt.Errorf("there is no key %q", key)
		}
	}
	return &Script{name: name, header: h, script: redis.NewScript(source), err: err}
}

// Run runs the script on the keys of a job, or of a cap. The
// arguments must be exactly those of the script's header.
func (s *Script) Run(ctx context.Context, c redis.Scripter, id string, args Args) *redis.Cmd {
	keys, values, err := s.bind(id, args)
	if err != nil {
		return failed(ctx, err)
	}
	return s.script.Run(ctx, c, keys, values...)
}

// Eval is like Run, but always sends the whole script, as a
// pipeline needs it.
func (s *Script) Eval(ctx context.Context, c redis.Scripter, id string, args Args) *redis.Cmd {
	keys, values, err := s.bind(id, args)
	if err != nil {
		return failed(ctx, err)
	}
	return s.script.Eval(ctx, c, keys, values...)
}

func failed(ctx context.Context, err error) *redis.Cmd {
	cmd := redis.NewCmd(ctx)
	cmd.SetErr(err)
	return cmd
}

// bind puts keys and arguments into the order of the header.
func (s *Script) bind(id string, args Args) (keys []string, values []any, err error) {
	if s.err != nil {
		return nil, nil, fmt.Errorf("script %s: %w", s.name, s.err)
	}
	for _, name := range s.header.keys {
		keys = append(keys, schema.Key(name, id))
	}

	values = make([]any, 0, len(args))
	for _, name := range s.header.args {
		value, ok := args[strings.TrimSuffix(name, more)]
		if !ok {
			return nil, nil, fmt.Errorf("script %s: no argument %s", s.name, name)
		}
		list, isList := value.(List)
		switch {
		case isList != strings.HasSuffix(name, more):
			return nil, nil, fmt.Errorf("script %s: argument %s is a %T", s.name, name, value)
		case isList:
			values = append(values, list...)
		default:
			values = append(values, value)
		}
	}
	if len(args) != len(s.header.args) {
		return nil, nil, fmt.Errorf("script %s: %d arguments, want %d",
			s.name, len(args), len(s.header.args))
	}
	return keys, values, nil
}
