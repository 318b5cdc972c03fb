package providers

import (
	"context"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// Diagnoser is a bucket that lies behind a network and can look at the way to
// it.
type Diagnoser interface {
	// Diagnose makes the checks of the way to the bucket's endpoint, in
	// order. At most one of them fails.
	Diagnose(ctx context.Context) []tasks.Check
}

// Diagnose asks a bucket about the way to it. A bucket without a network has
// nothing to tell.
func Diagnose(ctx context.Context, b Bucket) []tasks.Check {
	if d, ok := b.(Diagnoser); ok {
		return d.Diagnose(ctx)
	}
	return nil
}

// Preflighter is a bucket that browsers can load objects from by themselves.
type Preflighter interface {
	// Preflight finds out what a page of another origin may ask the bucket
	// for.
	Preflight(ctx context.Context, want tasks.CORS) []tasks.Check
}

// Preflight asks a bucket, or says that it cannot be asked.
func Preflight(ctx context.Context, b Bucket, want tasks.CORS) []tasks.Check {
	if p, ok := b.(Preflighter); ok {
		return p.Preflight(ctx, want)
	}
	return []tasks.Check{{ID: "cors", Status: tasks.CheckUnknown, Evidence: "no browser can ask this provider"}}
}
