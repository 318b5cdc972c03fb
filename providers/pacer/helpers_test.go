package pacer_test

import (
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/mem"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// bucket is a bucket in memory that holds some keys.
func bucket(t testing.TB, keys ...string) providers.Bucket {
	t.Helper()
	o := mem.New()
	o.Create("b")
	b, err := o.Open(t.Context(), tasks.Storage{Provider: "mem", Bucket: "b"}, providers.Secrets{})
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		if _, err := b.Put(t.Context(), key, strings.NewReader("at "+key), providers.WriteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	return b
}
