package job

import (
	"context"
	"errors"
	"io"
	"iter"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/worker/steps"
)

// AmendResult says what Amend did.
type AmendResult struct {
	PublishResult
	MergeResult
}

// Amend merges new lines into the object under a key. Finish calls it
// if Parts.Earlier is set.
//
// Amend holds neither the old lines nor the new ones in memory as a
// whole. It reads the old ones up to three times, always from one
// version of the object. Like Publish it never overwrites what it has
// not read. Two callers that merge the same lines at once both succeed.
//
// If the object is missing, or no job has written it, the error is
// NotFound or Invalid and advises to enqueue the job anew.
func (m Merge) Amend(
	ctx context.Context, b providers.Bucket, key, contentType string,
	added iter.Seq2[[]byte, error],
) (AmendResult, error) {
	a, err := m.amend(ctx, b, key, contentType, added)
	if errors.Is(err, providers.Conflict) {
		// Perhaps someone merged the same lines: then nothing is left
		// to add.
		a, err = m.amend(ctx, b, key, contentType, added)
	}
	return a, withAdvice(err, key)
}

func (m Merge) amend(
	ctx context.Context, b providers.Bucket, key, contentType string,
	added iter.Seq2[[]byte, error],
) (a AmendResult, err error) {
	now, err := b.Stat(ctx, key)
	if err != nil {
		return AmendResult{}, err
	}
	a.PublishResult, err = Publish(ctx, b, key, contentType, func(w io.Writer) error {
		old, err := b.Open(ctx, key, providers.ReadOptions{IfMatch: now.ETag})
		if err != nil {
			return err
		}
		defer func() { _ = old.Close() }()
		a.MergeResult, err = m.Write(w, steps.Reader(ctx, old), added)
		return err
	})
	return a, err
}

// withAdvice adds advice to the errors that come back however often the
// job is retried for the failed objects alone.
func withAdvice(err error, key string) error {
	const fix = "Enqueue the job anew, so that it looks at all objects: " +
		"this run has only the lines of those that failed."
	var e *providers.Error
	switch {
	case errors.Is(err, ErrNotMergeable):
		return &providers.Error{
			Op: "get", Key: key, Kind: providers.Invalid, Code: "NotMergeable", Fix: fix, Err: err,
		}
	case errors.As(err, &e) && e.Kind == providers.NotFound && e.Key == key:
		advised := *e
		advised.Fix = fix
		return &advised
	}
	return err
}
