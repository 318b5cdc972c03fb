package verify

import (
	"context"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/keyorder"
	"github.com/stevedore-jobs/stevedore/providers/mem/memtest"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job/jobtest"
)

// listCheck verifies a bucket and returns the check of its listing.
func listCheck(t *testing.T, b providers.Bucket) (tasks.Check, bool) {
	t.Helper()
	env := jobtest.New().Env()
	env.Open = func(context.Context, tasks.Storage) (providers.Bucket, error) { return b, nil }
	r, err := Job{}.Run(t.Context(), tasks.VerifyConnection{Storage: jobtest.Source("")}, env)
	if err != nil {
		t.Fatal(err)
	}
	result := r.(tasks.VerifyConnectionResult)
	at := slices.IndexFunc(result.Checks, func(c tasks.Check) bool { return c.ID == tasks.CheckIDList })
	return result.Checks[at], result.OK
}

// A bucket works in every order. If it is not the usual one, the check
// names it.
func TestRun_BucketInEachOrder(t *testing.T) {
	t.Parallel()
	for _, order := range keyorder.Unknown.Each() {
		b := memtest.BucketIn(t, order, "a/1.jpg", "a-b/1.jpg", "😀.jpg", "（１）.jpg")
		c, ok := listCheck(t, b)
		named := strings.HasSuffix(c.Evidence, "in the order "+order.String())
		if !ok || c.Status != tasks.CheckOK || named != (order != keyorder.Bytes) {
			t.Errorf("%s: %+v", order, c)
		}
	}
}

// repeating lists its keys twice, and does not notice.
type repeating struct{ providers.Bucket }

func (r repeating) Unwrap() providers.Bucket { return r.Bucket }

func (r repeating) List(ctx context.Context, opts providers.ListOptions) iter.Seq2[providers.Object, error] {
	return func(yield func(providers.Object, error) bool) {
		for range 2 {
			for o, err := range r.Bucket.List(ctx, opts) {
				if !yield(o, err) {
					return
				}
			}
		}
	}
}

func TestRun_ListingThatGoesBack(t *testing.T) {
	t.Parallel()
	c, ok := listCheck(t, repeating{memtest.Bucket(t, "a.jpg", "b.jpg")})
	if ok || c.Status != tasks.CheckFail || c.Code != providers.CodeUnorderedListing || c.Fix == "" ||
		!strings.Contains(c.Evidence, `"b.jpg" and then "a.jpg"`) {
		t.Errorf("%+v", c)
	}
}
