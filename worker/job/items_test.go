package job_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

func items(t *testing.T, s job.Shard, all []job.Listed, do func(context.Context, providers.Object) (job.Item, error)) (lines []string, err error) {
	t.Helper()
	for i, err := range s.Items(t.Context(), job.Env{Parallel: 3}, all, do) {
		if err != nil {
			return lines, err
		}
		line := fmt.Sprintf("%s %q %s %d", i.Key, i.Data, i.Tally, i.Bytes)
		if i.Fault != nil {
			line += " " + i.Fault.Key + " " + i.Fault.Code
		}
		lines = append(lines, line)
	}
	return lines, nil
}

func refused(key string, kind providers.Kind) error {
	return &providers.Error{Op: "get", Bucket: "b", Key: key, Kind: kind}
}

func TestItems_TellsFaultsFromErrors(t *testing.T) {
	t.Parallel()
	all := objects(6)
	all[1].Err = refused("001", providers.NotFound)
	got, err := items(t, job.Shard{}, all, func(_ context.Context, o providers.Object) (job.Item, error) {
		switch o.Key {
		case "001":
			t.Error("it is worked on though it is missing")
		case "002":
			return job.Item{Data: []byte("half"), Tally: "done", Bytes: 7}, codedError{}
		case "003":
			return job.Item{}, refused(o.Key, providers.Conflict)
		case "004":
			return job.Item{Data: []byte("half"), Bytes: 9}, refused(o.Key, providers.Unavailable)
		}
		return job.Item{Key: "else", Data: []byte(o.Key), Tally: "done", Bytes: 3}, nil
	})
	if diff := cmp.Diff([]string{
		`000 "000" done 3`, `001 ""  0 001 not-found`, `002 ""  7 002 corrupt-image`, `003 ""  0 003 changed`,
	}, got); diff != "" {
		t.Error(diff)
	}
	if !errors.Is(err, providers.Unavailable) {
		t.Error(err)
	}
}

// Everything denied ends a shard, after its items, as far as they are all
// known.
func TestItems_Denied(t *testing.T) {
	t.Parallel()
	denied := func(_ context.Context, o providers.Object) (job.Item, error) {
		return job.Item{}, refused(o.Key, providers.Denied)
	}
	butOne := func(ctx context.Context, o providers.Object) (job.Item, error) {
		if o.Key == "011" {
			return job.Item{Bytes: 1}, codedError{} // what is broken was read
		}
		return denied(ctx, o)
	}
	unasked := func(ctx context.Context, o providers.Object) (job.Item, error) {
		switch o.Key {
		case "003":
			return job.Item{Tally: "skipped"}, nil
		case "004":
			return job.Item{}, codedError{}
		}
		return denied(ctx, o)
	}
	for name, c := range map[string]struct {
		shard job.Shard
		do    func(context.Context, providers.Object) (job.Item, error)
		ends  bool
	}{
		"all":                           {job.Shard{Objects: 12}, denied, true},
		"all of a later shard":          {job.Shard{After: "0", Objects: 12}, denied, true},
		"all but one":                   {job.Shard{Objects: 12}, butOne, false},
		"all that were asked for":       {job.Shard{Objects: 12}, unasked, true},
		"the rest of a shard":           {job.Shard{After: "0", Objects: 20}, denied, false},
		"keys that were denied already": {job.Shard{Objects: 12, Keys: []string{"000"}}, denied, false},
	} {
		got, err := items(t, c.shard, objects(12), c.do)
		if len(got) != 12 || (err != nil) != c.ends || err != nil && !errors.Is(err, providers.Denied) {
			t.Errorf("%s: %d items, %v", name, len(got), err)
		}
	}
}

func TestItems_MayBeLeft(t *testing.T) {
	t.Parallel()
	n := 0
	for _, err := range (job.Shard{}).Items(t.Context(), job.Env{Parallel: 3}, objects(12), func(_ context.Context, o providers.Object) (job.Item, error) {
		return job.Item{}, refused(o.Key, providers.Denied)
	}) {
		if err != nil {
			t.Error(err)
		}
		if n++; n == 12 {
			break // the denial would come next
		}
	}
	if n != 12 {
		t.Errorf("%d items", n)
	}
}
