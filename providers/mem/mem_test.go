package mem_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/keyorder"
	"github.com/stevedore-jobs/stevedore/providers/mem"
	"github.com/stevedore-jobs/stevedore/providers/mem/memtest"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
	"github.com/stevedore-jobs/stevedore/tasks"
)

func open(t testing.TB, o *mem.Opener, name string) providers.Bucket {
	t.Helper()
	b, err := o.Open(context.Background(), tasks.Storage{Provider: "mem", Bucket: name}, providers.Secrets{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBucket(t *testing.T) {
	t.Parallel()
	providertest.Run(t, func(t testing.TB) providers.Bucket {
		t.Helper()
		return memtest.Bucket(t)
	})
	providertest.RunMissing(t, open(t, mem.New(), "nowhere"))
	providertest.RunThrough(t, memtest.Bucket(t))
}

func TestList_InEachOrder(t *testing.T) {
	t.Parallel()
	for _, order := range keyorder.Unknown.Each() {
		t.Run(order.String(), func(t *testing.T) {
			t.Parallel()
			providertest.RunListing(t, func(t testing.TB) providers.Bucket {
				t.Helper()
				return memtest.BucketIn(t, order)
			})
		})
	}
}

// A bucket of a given order does not tell it before it is listed.
func TestKeyOrder_IsFoundByListing(t *testing.T) {
	t.Parallel()
	if order := providers.OrderOf(memtest.Bucket(t)); order != keyorder.Bytes {
		t.Errorf("a plain bucket: %s", order)
	}
	b := memtest.BucketIn(t, keyorder.Directories, "a/1", "a-b", "（", "😀")
	if order := providers.OrderOf(b); order != keyorder.Unknown {
		t.Errorf("before: %s", order)
	}
	keys, err := providertest.Keys(t.Context(), b, providers.ListOptions{})
	if order := providers.OrderOf(b); err != nil || len(keys) != 4 || order != keyorder.Directories {
		t.Errorf("after %q, %v: %s", keys, err, order)
	}
}

func TestBucketsAreSharedByName(t *testing.T) {
	t.Parallel()
	o := mem.New()
	o.Create("b")
	ctx := context.Background()
	if _, err := open(t, o, "b").Put(ctx, "k", strings.NewReader("x"), providers.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	o.Create("b")
	if _, err := open(t, o, "b").Stat(ctx, "k"); err != nil {
		t.Error(err)
	}
}

func TestProbe(t *testing.T) {
	t.Parallel()
	o := mem.New()
	o.Create("b")
	for bucket, want := range map[string]string{
		"b":       "list ok, read ok, write ok",
		"missing": "list fail, read skipped, write skipped",
	} {
		var got []string
		for _, c := range providers.Probe(context.Background(), open(t, o, bucket), tasks.Need{Read: true, Write: true}) {
			got = append(got, c.ID+" "+string(c.Status))
		}
		if text := strings.Join(got, ", "); text != want {
			t.Errorf("%s: %s, want %s", bucket, text, want)
		}
	}
}
