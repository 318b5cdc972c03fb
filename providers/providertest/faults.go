package providertest

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// Operation makes one operation on the key "k", and returns its error:
// list, stat, get, put, delete, or upload, a put of several parts.
func Operation(ctx context.Context, b providers.Bucket, op string) error {
	switch op {
	case "list":
		for _, err := range b.List(ctx, providers.ListOptions{}) {
			if err != nil {
				return err
			}
		}
		return nil
	case "stat":
		_, err := b.Stat(ctx, "k")
		return err
	case "get":
		r, err := b.Open(ctx, "k", providers.ReadOptions{})
		if err == nil {
			_, err = io.Copy(io.Discard, r)
			_ = r.Close()
		}
		return err
	case "put", "upload":
		size := 1
		if op == "upload" {
			size = 9 << 20
		}
		body := strings.NewReader(strings.Repeat("x", size))
		_, err := b.Put(ctx, "k", body, providers.WriteOptions{})
		return err
	}
	return b.Delete(ctx, "k")
}

// WantServerFault checks that an error is that of a server that answers
// as no storage service does: Invalid, with a code, a text and advice.
func WantServerFault(t testing.TB, err error, code, says string) {
	t.Helper()
	var e *providers.Error
	if !errors.As(err, &e) || e.Kind != providers.Invalid || e.Code != code ||
		!strings.Contains(e.Error(), says) || e.Op == "" || e.Bucket == "" || e.Fix == "" {
		t.Errorf("got %v", err)
	}
}

// WantKeys checks what a bucket lists.
func WantKeys(t testing.TB, b providers.Bucket, want ...string) {
	t.Helper()
	var keys []string
	for o, err := range b.List(t.Context(), providers.ListOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, o.Key)
	}
	if !slices.Equal(keys, want) {
		t.Errorf("got %q, want %q", keys, want)
	}
}

// WantNoSuccess checks that every check of a bucket that lists, reads or
// writes finds a fault.
func WantNoSuccess(t testing.TB, b providers.Bucket) {
	t.Helper()
	need := tasks.Need{Read: true, Write: true, Versions: true, KMS: true}
	for _, c := range providers.Probe(t.Context(), b, need) {
		isOK := c.Status == tasks.CheckOK
		switch c.ID {
		case tasks.CheckIDList, tasks.CheckIDRead, tasks.CheckIDWrite, tasks.CheckIDVersions:
			if isOK {
				t.Errorf("%s is ok: %s", c.ID, c.Evidence)
			}
		}
	}
}
