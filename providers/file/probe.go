package file

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"os"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/check"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// Probe implements providers.Prober. To find out whether it may
// write, it creates an empty unfinished file, which no listing shows,
// and removes it at once. There is no other way to know what user,
// mode, mount and quota allow.
func (b *bucket) Probe(ctx context.Context, need tasks.Need) []tasks.Check {
	p := &probe{bucket: b}
	isMissing := func(tasks.Check) bool { return b.openErr != nil }
	return check.Run(ctx, []check.Step{
		{ID: tasks.CheckIDList, Wanted: true, Run: p.list, Stops: isMissing},
		{ID: tasks.CheckIDRead, Wanted: need.Read, Run: p.read, Stops: check.Never},
		{ID: tasks.CheckIDWrite, Wanted: need.Write, Run: p.write, Stops: check.Never},
	})
}

// probe is one verification.
type probe struct {
	bucket  *bucket
	first   string // a key to read; empty if there are no files
	listErr error
}

func (p *probe) list(ctx context.Context) tasks.Check {
	for o, err := range p.bucket.List(ctx, providers.ListOptions{Prefix: p.bucket.dir}) {
		p.first, p.listErr = o.Key, err
		break
	}
	return result(p.listErr, "the directory can be read")
}

func (p *probe) read(ctx context.Context) tasks.Check {
	switch {
	case p.listErr != nil:
		return check.SkipAfter(tasks.CheckIDList)
	case p.first == "":
		return check.Unknown("", "there is no file to read")
	}
	r, err := p.bucket.Open(ctx, p.first, providers.ReadOptions{})
	if err == nil {
		_, err = r.Read(make([]byte, 1))
		_ = r.Close()
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return result(err, "read "+p.first)
}

func (p *probe) write(ctx context.Context) tasks.Check {
	err := p.bucket.ready(ctx, "put", p.bucket.dir+"probe")
	if err == nil {
		err = p.bucket.wrapError("put", "", p.writeEmpty())
	}
	return result(err, "a file could be made; it was removed")
}

func (p *probe) writeEmpty() error {
	root, name := p.bucket.root, unfinishedPrefix+rand.Text()
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), root.Remove(name))
}

func result(err error, evidence string) tasks.Check {
	if err != nil {
		return check.FailError(err)
	}
	return check.OK(evidence)
}
