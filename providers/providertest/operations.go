package providertest

import (
	"context"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
)

// Operations makes each operation on the key "k", and returns their
// errors: those of list, stat, get, put and delete.
func Operations(ctx context.Context, b providers.Bucket) map[string]error {
	errs := map[string]error{}
	for _, err := range b.List(ctx, providers.ListOptions{}) {
		errs["list"] = err
	}
	_, errs["stat"] = b.Stat(ctx, "k")
	r, err := b.Open(ctx, "k", providers.ReadOptions{})
	if errs["get"] = err; err == nil {
		_ = r.Close()
	}
	_, errs["put"] = b.Put(ctx, "k", strings.NewReader("x"), providers.WriteOptions{})
	errs["delete"] = b.Delete(ctx, "k")
	return errs
}
