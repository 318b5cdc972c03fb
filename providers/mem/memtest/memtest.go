// Package memtest makes buckets in memory for tests, above all for
// those of packages that wrap a bucket.
//
// It is for tests only.
package memtest

import (
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/keyorder"
	"github.com/stevedore-jobs/stevedore/providers/mem"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// Bucket makes a bucket that holds an object for each key. The
// content of an object is "at " and its key.
func Bucket(t testing.TB, keys ...string) providers.Bucket {
	t.Helper()
	o := mem.New()
	o.Create("b")
	return filled(t, o, keys)
}

// BucketIn makes the same bucket with another order of keys. The
// order must be found out by listing (mem.Opener.CreateIn).
func BucketIn(t testing.TB, order keyorder.Order, keys ...string) providers.Bucket {
	t.Helper()
	o := mem.New()
	o.CreateIn("b", order)
	return filled(t, o, keys)
}

func filled(t testing.TB, o *mem.Opener, keys []string) providers.Bucket {
	t.Helper()
	storage := tasks.Storage{Provider: "mem", Bucket: "b"}
	b, err := o.Open(t.Context(), storage, providers.Secrets{})
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		content := strings.NewReader("at " + key)
		if _, err := b.Put(t.Context(), key, content, providers.WriteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	return b
}
