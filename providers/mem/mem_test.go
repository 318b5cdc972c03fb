package mem_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
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
