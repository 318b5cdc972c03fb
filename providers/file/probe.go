package file

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"os"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// Probe implements providers.Prober. To see whether it may write it makes an
// empty unfinished file, which no listing shows, and removes it at once: what
// user, mode, mount and quota allow cannot be told otherwise.
func (b *bucket) Probe(ctx context.Context, need tasks.Need) []tasks.Check {
	first, err := b.first(ctx)
	listed := check("list", err, "the directory can be read")
	checks := []tasks.Check{listed}
	if need.Read {
		checks = append(checks, b.probeRead(ctx, first, listed.Status))
	}
	if need.Write {
		checks = append(checks, check("write", b.tryWrite(ctx), "a file could be made; it was removed"))
	}
	return checks
}

// Diagnose implements providers.Diagnoser. There is no network to check.
func (b *bucket) Diagnose(context.Context) []tasks.Check { return nil }

func (b *bucket) first(ctx context.Context) (key string, err error) {
	for o, err := range b.List(ctx, providers.ListOptions{Prefix: b.dir}) {
		return o.Key, err
	}
	return "", nil
}

func (b *bucket) probeRead(ctx context.Context, key string, listed tasks.CheckStatus) tasks.Check {
	switch {
	case listed != tasks.CheckOK:
		return tasks.Check{ID: "read", Status: tasks.CheckSkipped, Evidence: "the directory could not be listed"}
	case key == "":
		return tasks.Check{ID: "read", Status: tasks.CheckUnknown, Evidence: "there is no file to read"}
	}
	r, err := b.Open(ctx, key, providers.ReadOptions{})
	if err == nil {
		_, err = r.Read(make([]byte, 1))
		_ = r.Close()
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return check("read", err, "read "+key)
}

func (b *bucket) tryWrite(ctx context.Context) error {
	if err := b.ready(ctx, "put", b.dir+"probe"); err != nil {
		return err
	}
	name := temporary + rand.Text()
	f, err := b.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return b.classify("put", "", err)
	}
	return b.classify("put", "", errors.Join(f.Close(), b.root.Remove(name)))
}

func check(id string, err error, evidence string) tasks.Check {
	var e *providers.Error
	if errors.As(err, &e) {
		return tasks.Check{ID: id, Status: tasks.CheckFail, Code: e.Code, Evidence: e.Error(), Fix: e.Advice()}
	}
	return tasks.Check{ID: id, Status: tasks.CheckOK, Evidence: evidence}
}
