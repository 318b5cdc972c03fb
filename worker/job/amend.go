package job

import (
	"context"
	"errors"
	"io"
	"iter"

	"github.com/stevedore-jobs/stevedore/providers"
)

// Amended tells what Amend did.
type Amended struct {
	Published
	Merged
}

// Amend merges fresh lines into the lines that lie under a key: what Finish
// does when Parts.Earlier is set. Neither the old lines nor the fresh are
// ever in memory as a whole; the old are read up to three times, always of
// one version. Like Publish it never overwrites what it has not seen, and two
// that put in the same lines at once both succeed. When nothing lies there
// any more, or something that no job wrote, the error is NotFound or Invalid
// and advises to enqueue the job anew.
func (m Merge) Amend(ctx context.Context, b providers.Bucket, key, contentType string, fresh iter.Seq2[[]byte, error]) (Amended, error) {
	a, err := m.amend(ctx, b, key, contentType, fresh)
	if errors.Is(err, providers.Conflict) { // perhaps by one who put in the same: then all is there now
		a, err = m.amend(ctx, b, key, contentType, fresh)
	}
	return a, advise(err, key)
}

func (m Merge) amend(ctx context.Context, b providers.Bucket, key, contentType string, fresh iter.Seq2[[]byte, error]) (a Amended, err error) {
	now, err := b.Stat(ctx, key)
	if err != nil {
		return Amended{}, err
	}
	a.Published, err = Publish(ctx, b, key, contentType, func(w io.Writer) error {
		old, err := b.Open(ctx, key, providers.ReadOptions{IfMatch: now.ETag})
		if err != nil {
			return err
		}
		defer func() { _ = old.Close() }()
		a.Merged, err = m.Write(w, old, fresh)
		return err
	})
	return a, err
}

// advise tells what cures the errors that no run of the failed objects alone
// gets past.
func advise(err error, key string) error {
	var e *providers.Error
	fix := "Enqueue the job anew, so that it looks at all objects: this run has only the lines of those that failed."
	switch {
	case errors.Is(err, ErrNotMergeable):
		return &providers.Error{Op: "get", Key: key, Kind: providers.Invalid, Code: "NotMergeable", Fix: fix, Err: err}
	case errors.As(err, &e) && e.Kind == providers.NotFound && e.Key == key:
		advised := *e
		advised.Fix = fix
		return &advised
	}
	return err
}
