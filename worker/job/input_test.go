package job_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stevedore-jobs/stevedore/worker/job"
)

func TestInputComesBack(t *testing.T) {
	t.Parallel()
	for _, want := range []job.Shard{{}, {Listing: []byte("packed")}} {
		got, err := job.Shard{Listing: []byte("other")}.WithInput(want.Input())
		if err != nil || cmp.Diff(want, got) != "" {
			t.Errorf("%+v, want %+v, %v", got, want, err)
		}
	}
	for _, broken := range []string{"\x05abc", "\xff", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"} {
		if _, err := (job.Shard{}).WithInput([]byte(broken)); err == nil {
			t.Errorf("%q is accepted", broken)
		}
	}
}
