// Package journal knows what logs and metrics say about a job: whose it
// is, when it started, how it ended.
//
// It does not know how jobs run.
package journal

import (
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/guard"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// Labels say whose work something is, for logs and metrics.
type Labels struct {
	Kind   string
	Bucket string // name of the storage that the job works on; empty if unknown
	Tenant string // may be empty

	displayName string
}

// Of returns the labels of a job. The job may be nil.
func Of(kind string, j tasks.Job) Labels {
	l := Labels{Kind: kind}
	if j == nil {
		return l
	}
	l.Tenant = j.JobTerms().Tenant
	if storages := tasks.Storages(j); len(storages) > 0 {
		l.Bucket, l.displayName = storages[0].Name(), storages[0].DisplayName
	}
	return l
}

// Read reads the labels from a payload, which may not be valid.
func Read(k job.Kind, payload []byte) Labels {
	l := Labels{Kind: k.Name}
	_ = guard.Call(func() error {
		j, err := k.Decode(payload)
		if err == nil {
			l = Of(k.Name, j)
		}
		return err
	})
	return l
}

// Attributes returns the labels as keys and values of a line of the
// log. What is unknown is left out.
func (l Labels) Attributes() []any {
	list := []any{"kind", l.Kind}
	for _, a := range [][2]string{
		{"bucket", l.Bucket}, {"display_name", l.displayName}, {"tenant", l.Tenant},
	} {
		if a[1] != "" {
			list = append(list, a[0], a[1])
		}
	}
	return list
}
