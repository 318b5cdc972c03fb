package worker

import (
	"errors"
	"fmt"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// Registration is a job that the worker shall run. Single and Sharded
// make one.
type Registration struct {
	name    string      // of the kind, as the payload says
	own     *tasks.Kind // nil for a built-in kind
	accepts func(tasks.Job) bool
	single  job.Single[tasks.Job]
	sharded job.Sharded[tasks.Job]
}

// Single registers a single job. Its kind is the built-in one of its
// payload, unless OfKind gives another.
func Single[J tasks.Job](j job.Single[J]) Registration {
	r := registration[J]()
	r.single = job.AnySingle(j)
	return r
}

// Sharded registers a sharded job. Its kind is the built-in one of its
// payload, unless OfKind gives another.
func Sharded[J tasks.Job](j job.Sharded[J]) Registration {
	r := registration[J]()
	r.sharded = job.AnySharded(j)
	return r
}

func registration[J tasks.Job]() Registration {
	var zero J
	return Registration{
		name:    zero.Kind(),
		accepts: func(j tasks.Job) bool { _, ok := j.(J); return ok },
	}
}

// OfKind returns the registration with a kind that is not built in. The
// kind's payload must have the type that the job takes. Producers need
// the same kind: see producer.WithKinds.
func (r Registration) OfKind(k tasks.Kind) Registration {
	r.own = &k
	return r
}

// kindsOf returns the kinds by name. Every built-in kind must have a
// job, because all kinds share the queues. A pool must serve the queue
// of every kind, or its tasks would wait for ever. The error names all
// faults.
func kindsOf(registrations []Registration, pools []pool) (map[string]job.Kind, error) {
	kinds := map[string]job.Kind{}
	var faults []error
	for _, r := range registrations {
		k, err := r.kind(pools)
		if err == nil && kinds[r.name].Name != "" {
			err = fmt.Errorf("two jobs for kind %s", r.name)
		}
		if err != nil {
			faults = append(faults, err)
			continue
		}
		kinds[r.name] = job.Kind{Kind: k, Single: r.single, Sharded: r.sharded}
	}
	for _, k := range tasks.Kinds() {
		if _, ok := kinds[k.Name]; !ok {
			faults = append(faults, fmt.Errorf("no job for kind %s", k.Name))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("jobs of this worker: %w", err)
	}
	return kinds, nil
}

// kind returns the kind of a registration, if the worker can run it.
func (r Registration) kind(pools []pool) (tasks.Kind, error) {
	k, err := tasks.Lookup(r.name)
	if r.own != nil {
		if err == nil {
			return k, fmt.Errorf("kind %s is built in and cannot be replaced", r.name)
		}
		k, err = *r.own, r.checkOwn()
	}
	if err != nil {
		return k, err
	}
	for _, p := range pools {
		if _, served := p.queues[k.Policy.Queue]; served {
			return k, nil
		}
	}
	return k, fmt.Errorf("no pool serves queue %q of kind %s", k.Policy.Queue, k.Name)
}

// checkOwn checks that the kind that OfKind gave decodes the payload of
// the job.
func (r Registration) checkOwn() error {
	if err := r.own.Validate(); err != nil {
		return err
	}
	if r.own.Name != r.name {
		return fmt.Errorf("the job for kind %s was registered as kind %s", r.name, r.own.Name)
	}
	payload, err := r.own.Decode([]byte("{}"))
	if err != nil {
		return err
	}
	if !r.accepts(payload) {
		return fmt.Errorf("kind %s has payloads of type %T, which its job does not take",
			r.name, payload)
	}
	return nil
}
