package driver_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/providers/keyorder"
)

// take returns the keys that a listing takes of those that a server
// lists.
func take(l *driver.Listing, listed []string) (taken []string, err error) {
	for _, key := range listed {
		if l.Done() {
			break
		}
		wanted, err := l.Take(providers.Object{Key: key})
		if err != nil {
			return taken, err
		}
		if wanted {
			taken = append(taken, key)
		}
	}
	return taken, nil
}

var directories = []string{"a", "a/1", "a/2", "a-b/1", "a-b/2", "a.jpg", "b"}

func TestListing_Bounds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		opts providers.ListOptions
		want string
	}{
		"All":              {providers.ListOptions{}, "a a/1 a/2 a-b/1 a-b/2 a.jpg b"},
		"After":            {providers.ListOptions{After: "a/2"}, "a-b/1 a-b/2 a.jpg b"},
		"Through":          {providers.ListOptions{Through: "a-b/1"}, "a a/1 a/2 a-b/1"},
		"Both":             {providers.ListOptions{After: "a/1", Through: "a-b/2"}, "a/2 a-b/1 a-b/2"},
		"Prefix":           {providers.ListOptions{Prefix: "a/"}, "a/1 a/2"},
		"PrefixAndAfter":   {providers.ListOptions{Prefix: "a", After: "a/2"}, "a-b/1 a-b/2 a.jpg"},
		"AfterThePrefix":   {providers.ListOptions{Prefix: "a", After: "b"}, ""},
		"BeforeThePrefix":  {providers.ListOptions{Prefix: "b", After: "a"}, "b"},
		"AfterIsGone":      {providers.ListOptions{After: "a/11"}, "a/2 a-b/1 a-b/2 a.jpg b"},
		"ThroughIsGone":    {providers.ListOptions{Through: "a/11"}, "a a/1"},
		"ExactWhenUnknown": {providers.ListOptions{After: "a/1", Through: "a/2"}, "a/2"},
	} {
		for _, order := range []keyorder.Order{0, keyorder.Unknown, keyorder.Directories} {
			opts := c.opts
			opts.Order = order
			got, err := take(driver.NewListing(opts, &driver.KnownOrder{}), directories)
			if strings.Join(got, " ") != c.want || err != nil {
				t.Errorf("%s, %q: %q, %v", name, order, got, err)
			}
		}
	}
}

// While the order is not known, a listing has too many keys rather than
// too few.
func TestListing_IncludesWhatMayLieWithinTheBounds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		order keyorder.Order
		want  string
	}{
		{keyorder.Unknown, "a/1 b"},
		{keyorder.Bytes, "a/1 b"},
		{keyorder.Directories, "b"},
	} {
		opts := providers.ListOptions{After: "a-b/gone", Order: c.order}
		got, err := take(driver.NewListing(opts, &driver.KnownOrder{}), []string{"a/1", "b"})
		if strings.Join(got, " ") != c.want || err != nil {
			t.Errorf("%s: %q, %v", c.order, got, err)
		}
	}
}

func TestListing_TeachesTheBucket(t *testing.T) {
	t.Parallel()
	known := &driver.KnownOrder{}
	if _, err := take(driver.NewListing(providers.ListOptions{}, known), directories); err != nil {
		t.Fatal(err)
	}
	if want := keyorder.Directories | keyorder.DirectoriesUTF16; known.KeyOrder() != want {
		t.Errorf("found %s, want %s", known.KeyOrder(), want)
	}
	known.Learn(keyorder.Bytes)
	if known.KeyOrder() == 0 {
		t.Error("a contradiction left no order")
	}
}

func TestListing_Errors(t *testing.T) {
	t.Parallel()
	bytes := driver.NewKnownOrder(keyorder.Bytes)
	for name, c := range map[string]struct {
		listing *driver.Listing
		keys    []string
		code    string
		says    []string
	}{
		"GoesBack":     {driver.NewListing(providers.ListOptions{}, &driver.KnownOrder{}), []string{"b/1", "c", "a/2"}, "UnorderedListing", []string{`"c"`, `"a/2"`}},
		"Twice":        {driver.NewListing(providers.ListOptions{}, &driver.KnownOrder{}), []string{"b", "b"}, "UnorderedListing", []string{`"b" twice`}},
		"Contradicts":  {driver.NewListing(providers.ListOptions{}, &driver.KnownOrder{}), []string{"a/1", "a-b", "a.jpg", "b-a", "b/1"}, "UnorderedListing", []string{`"b-a"`, `"b/1"`}},
		"NotAsKnown":   {driver.NewListing(providers.ListOptions{}, bytes), directories, "UnorderedListing", []string{`"a/2"`, `"a-b/1"`}},
		"OrderChanged": {driver.NewListing(providers.ListOptions{Order: keyorder.UTF16}, bytes), []string{"a"}, "OrderChanged", []string{"bytes, not utf-16"}},
		"StartIgnored": {driver.NewListing(providers.ListOptions{After: "b", Direct: true}, bytes), []string{"a"}, "StartIgnored", nil},
	} {
		_, err := take(c.listing, c.keys)
		var e *providers.Error
		if !errors.As(err, &e) || e.Kind != providers.Invalid || e.Code != c.code || e.Fix == "" {
			t.Errorf("%s: got %v", name, err)
			continue
		}
		for _, text := range c.says {
			if !strings.Contains(e.Detail, text) {
				t.Errorf("%s: %q does not say %s", name, e.Detail, text)
			}
		}
	}
}

// Shards that are cut by position hold each key once, whatever the
// order is and however much of it is known.
func TestListing_ShardsHoldEachKeyOnce(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	parts := []string{"a", "/", "-b", ".jpg", "😀", "（１）", "𠮷", "0", " "}
	for _, order := range keyorder.Unknown.Each() {
		for range 200 {
			var keys []string
			for range 30 {
				key := "k"
				for range r.IntN(5) {
					key += parts[r.IntN(len(parts))]
				}
				keys = append(keys, key)
			}
			slices.SortFunc(keys, order.Compare)
			keys = slices.Compact(keys)

			var got []string
			known, opts := &driver.KnownOrder{}, providers.ListOptions{}
			plan := driver.NewListing(providers.ListOptions{}, known)
			for i, key := range keys {
				if _, err := plan.Take(providers.Object{Key: key}); err != nil {
					t.Fatal(err)
				}
				if i%7 != 6 && i < len(keys)-1 {
					continue
				}
				opts.Through, opts.Order = key, known.KeyOrder()
				shard, err := take(driver.NewListing(opts, &driver.KnownOrder{}), keys)
				if err != nil {
					t.Fatal(err)
				}
				got, opts.After = append(got, shard...), key
			}
			if !slices.Equal(got, keys) {
				t.Fatalf("%s:\n got %q\nwant %q", order, got, keys)
			}
		}
	}
}
