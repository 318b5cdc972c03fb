package providers

import (
	"context"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// Prober is a bucket that can find out, without storing anything, what may be
// done with it.
type Prober interface {
	// Probe makes the checks that need says, in order, and reports every one
	// of them. It stores nothing.
	Probe(ctx context.Context, need tasks.Need) []tasks.Check
}

// Probe asks a bucket, or says that it cannot be asked.
func Probe(ctx context.Context, b Bucket, need tasks.Need) []tasks.Check {
	if p, ok := b.(Prober); ok {
		return p.Probe(ctx, need)
	}
	return []tasks.Check{{ID: "probe", Status: tasks.CheckUnknown, Evidence: "this provider cannot be probed"}}
}
