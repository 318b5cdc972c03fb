package worker

import (
	"context"
	"fmt"
	"iter"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// Registration is a job that was handed to the engine. Single and Sharded
// make one.
type Registration struct {
	kind    string
	single  job.Single[tasks.Job]
	sharded job.Sharded[tasks.Job]
}

// Single hands a single job to the engine.
func Single[J tasks.Job](j job.Single[J]) Registration {
	var zero J
	return Registration{kind: zero.Kind(), single: anySingle[J]{j}}
}

// Sharded hands a sharded job to the engine.
func Sharded[J tasks.Job](j job.Sharded[J]) Registration {
	var zero J
	return Registration{kind: zero.Kind(), sharded: anySharded[J]{j}}
}

// anySingle and anySharded forget the type of the payload, so that one table
// holds every job. Decoding has made sure of the type again before they are
// called.
type anySingle[J tasks.Job] struct{ job.Single[J] }

func (a anySingle[J]) Run(ctx context.Context, j tasks.Job, env job.Env) (tasks.Result, error) {
	return a.Single.Run(ctx, j.(J), env)
}

type anySharded[J tasks.Job] struct{ job.Sharded[J] }

func (a anySharded[J]) Plan(ctx context.Context, j tasks.Job, env job.Env, after string, emit func(job.Shard) error) error {
	return a.Sharded.Plan(ctx, j.(J), env, after, emit)
}

func (a anySharded[J]) Work(ctx context.Context, j tasks.Job, env job.Env, s job.Shard) iter.Seq2[job.Item, error] {
	return a.Sharded.Work(ctx, j.(J), env, s)
}

func (a anySharded[J]) Finish(ctx context.Context, j tasks.Job, env job.Env, parts job.Parts) (tasks.Result, error) {
	return a.Sharded.Finish(ctx, j.(J), env, parts)
}

// entry is one kind that this worker runs.
type entry struct {
	tasks.Kind
	Registration
}

// table checks that every kind of the contract has a job, since a queue is
// shared by all kinds on it, and that every kind's queue is served: enqueuing
// on a queue that nobody serves succeeds, and then waits for ever.
func table(registrations []Registration, pools []pool) (map[string]entry, error) {
	served := map[string]bool{}
	for _, p := range pools {
		for q := range p.queues {
			served[q] = true
		}
	}
	entries := map[string]entry{}
	for _, r := range registrations {
		k, err := tasks.Lookup(r.kind)
		switch {
		case err != nil:
			return nil, err
		case entries[r.kind].kind != "":
			return nil, fmt.Errorf("two jobs for kind %s", r.kind)
		case !served[k.Policy.Queue]:
			return nil, fmt.Errorf("no pool serves queue %q of kind %s", k.Policy.Queue, k.Name)
		}
		entries[r.kind] = entry{k, r}
	}
	for _, k := range tasks.Kinds() {
		if _, ok := entries[k.Name]; !ok {
			return nil, fmt.Errorf("no job for kind %s", k.Name)
		}
	}
	return entries, nil
}
