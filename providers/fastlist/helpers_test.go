package fastlist_test

import (
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/mem"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// bucket is an empty bucket in memory.
func bucket(t testing.TB) providers.Bucket {
	t.Helper()
	o := mem.New()
	o.Create("b")
	b, err := o.Open(t.Context(), tasks.Storage{Provider: "mem", Bucket: "b"}, providers.Secrets{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func list(t testing.TB, b providers.Bucket, opts providers.ListOptions) ([]string, error) {
	t.Helper()
	var keys []string
	for o, err := range b.List(t.Context(), opts) {
		if err != nil {
			return keys, err
		}
		keys = append(keys, o.Key)
	}
	return keys, nil
}
