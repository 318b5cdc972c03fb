package admission

import (
	"context"

	"github.com/stevedore-jobs/stevedore/tasks/queue/turns"
)

// maxTries is how many tasks one call looks at whose caps are reached.
const maxTries = 20

// Take takes the task whose turn it is off a queue, if the pool may run
// one. Its handler must then call Enter.
func (p *Pool) Take(
	ctx context.Context, q *turns.Queues, queue string,
) (turns.Task, turns.State, error) {
	r, ok := p.request(queue)
	if !ok {
		return turns.Task{}, turns.Held, nil
	}
	if p.caps.apply() {
		return p.takeCapped(ctx, q, r)
	}
	task, state, err := q.Take(ctx, r)
	if state == turns.Found {
		p.places.expect(task, queue, nil)
	}
	return task, state, err
}

// takeCapped is Take with caps. It finds out whose turn it is, acquires
// places of the caps, and only then takes the task.
func (p *Pool) takeCapped(
	ctx context.Context, q *turns.Queues, r turns.Request,
) (turns.Task, turns.State, error) {
	r.Denied = append(r.Denied, p.caps.reachedNow()...)
	for range maxTries {
		r.Look, r.Wanted = true, ""
		task, state, err := q.Take(ctx, r)
		if err != nil || state != turns.Found {
			return task, state, err
		}
		held, denied, err := p.caps.acquire(ctx, task)
		if err != nil {
			return turns.Task{}, turns.Held, err
		}
		if denied != "" {
			r.Denied = append(r.Denied, denied)
			continue
		}

		r.Look, r.Wanted = false, task.ID
		task, state, err = q.Take(ctx, r)
		if err == nil && state == turns.Found {
			p.places.expect(task, r.Queue, held)
			return task, state, nil
		}
		p.caps.release(&place{task: r.Wanted, caps: held})
		if err != nil {
			return task, state, err
		}
	}
	return turns.Task{}, turns.Held, nil
}
