package job

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stevedore-jobs/stevedore/providers"
)

// itemLines collects the items of a shard, a line each, up to an error.
func itemLines(t *testing.T, s Shard, all []ListedObject, do func(context.Context, providers.Object) (Item, error)) (lines []string, err error) {
	t.Helper()
	for i, err := range s.Items(t.Context(), Env{Parallel: 3}, all, do) {
		if err != nil {
			return lines, err
		}
		line := fmt.Sprintf("%s %q %s %d", i.Key, i.Data, i.Tally, i.Bytes)
		if i.Error != nil {
			line += " " + i.Error.Key + " " + i.Error.Code
		}
		lines = append(lines, line)
	}
	return lines, nil
}

func refused(key string, kind providers.Kind) error {
	return &providers.Error{Op: "get", Bucket: "b", Key: key, Kind: kind}
}

func TestItems_ErrorOfAnObjectOrOfTheJob(t *testing.T) {
	t.Parallel()
	all := objects(6)
	all[1].Err = refused("001", providers.NotFound)
	got, err := itemLines(t, Shard{}, all, func(_ context.Context, o providers.Object) (Item, error) {
		switch o.Key {
		case "001":
			t.Error("called for a missing object")
		case "002":
			return Item{Data: []byte("half"), Tally: "done", Bytes: 7}, codedError{}
		case "003":
			return Item{}, refused(o.Key, providers.Conflict)
		case "004":
			return Item{Data: []byte("half"), Bytes: 9}, refused(o.Key, providers.Unavailable)
		}
		return Item{Key: "else", Data: []byte(o.Key), Tally: "done", Bytes: 3}, nil
	})
	if diff := cmp.Diff([]string{
		`000 "000" done 3`, `001 ""  0 001 not-found`, `002 "" done 7 002 corrupt-image`, `003 ""  0 003 changed`,
	}, got); diff != "" {
		t.Error(diff)
	}
	if !errors.Is(err, providers.Unavailable) {
		t.Error(err)
	}
}

// A shard whose objects are all denied fails after its items, if all of
// its objects are known.
func TestItems_AllDenied(t *testing.T) {
	t.Parallel()
	denied := func(_ context.Context, o providers.Object) (Item, error) {
		return Item{}, refused(o.Key, providers.Denied)
	}
	butOne := func(ctx context.Context, o providers.Object) (Item, error) {
		if o.Key == "011" {
			return Item{Bytes: 1}, codedError{} // a broken object was read
		}
		return denied(ctx, o)
	}
	withoutRequest := func(ctx context.Context, o providers.Object) (Item, error) {
		switch o.Key {
		case "003":
			return Item{Tally: "skipped"}, nil
		case "004":
			return Item{}, codedError{}
		}
		return denied(ctx, o)
	}
	unchanged := func(ctx context.Context, o providers.Object) (Item, error) {
		if o.Key == "003" {
			return Item{Data: []byte("line"), Tally: "unchanged"}, nil // an earlier run has read it
		}
		return denied(ctx, o)
	}
	for name, c := range map[string]struct {
		shard Shard
		do    func(context.Context, providers.Object) (Item, error)
		ends  bool
	}{
		"all":                          {Shard{Objects: 12}, denied, true},
		"all of a later shard":         {Shard{After: "0", Objects: 12}, denied, true},
		"all but one":                  {Shard{Objects: 12}, butOne, false},
		"all that were requested":      {Shard{Objects: 12}, withoutRequest, true},
		"all but what is there":        {Shard{Objects: 12}, unchanged, false},
		"the rest of a shard":          {Shard{After: "0", Objects: 20}, denied, false},
		"keys that were denied before": {Shard{Objects: 12, Keys: []string{"000"}}, denied, false},
	} {
		got, err := itemLines(t, c.shard, objects(12), c.do)
		if len(got) != 12 || (err != nil) != c.ends || err != nil && !errors.Is(err, providers.Denied) {
			t.Errorf("%s: %d items, %v", name, len(got), err)
		}
	}
}

func TestItems_MayBeLeftEarly(t *testing.T) {
	t.Parallel()
	n := 0
	for _, err := range (Shard{}).Items(t.Context(), Env{Parallel: 3}, objects(12), func(_ context.Context, o providers.Object) (Item, error) {
		return Item{}, refused(o.Key, providers.Denied)
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
