package order_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/keyorder"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/results"
	"github.com/stevedore-jobs/stevedore/worker/job/jobtest"
	"github.com/stevedore-jobs/stevedore/worker/manifest/order"
	"github.com/stevedore-jobs/stevedore/worker/memory"
)

// load returns the order of a job, whose list is in a bucket if
// text is not empty.
func load(t *testing.T, j tasks.BuildManifest, text string) (*order.Order, error) {
	t.Helper()
	w := jobtest.New()
	j.Source = jobtest.Source("")
	if text != "" {
		w.Put(t, "order.txt", text)
	}
	return order.Load(t.Context(), j, w.Open, memory.New(64<<20))
}

// sorted sorts keys by an order, and says how they fit.
func sorted(t *testing.T, o *order.Order, keys []string) ([]string, *results.OrderFit) {
	t.Helper()
	by := make(map[string]string, len(keys))
	for _, key := range keys {
		by[key] = o.Key(key)
	}
	slices.SortFunc(keys, func(a, b string) int { return keyorder.Bytes.Compare(by[a], by[b]) })
	fit, err := o.Fit(t.Context(), int64(len(keys)))
	if err != nil {
		t.Fatal(err)
	}
	o.Close()
	return keys, fit
}

func keyed(keys ...string) tasks.BuildManifest {
	return tasks.BuildManifest{Sorting: tasks.SortingPredefined, Order: &tasks.ManifestOrder{Keys: keys}}
}

func inObject() tasks.BuildManifest {
	return tasks.BuildManifest{Sorting: tasks.SortingPredefined, Order: &tasks.ManifestOrder{Key: "order.txt"}}
}

func TestOrder(t *testing.T) {
	t.Parallel()
	entries := []string{"a1.jpg", "a10.jpg", "A2.jpg", "a2.jpg", "b/1.jpg", "é.jpg"}
	for name, c := range map[string]struct {
		job        tasks.BuildManifest
		text, want string
		fit        *results.OrderFit
	}{
		"default":         {want: "A2.jpg a1.jpg a10.jpg a2.jpg b/1.jpg é.jpg"},
		"lexicographical": {job: tasks.BuildManifest{Sorting: tasks.SortingLexicographical}, want: "A2.jpg a1.jpg a10.jpg a2.jpg b/1.jpg é.jpg"},
		"natural":         {job: tasks.BuildManifest{Sorting: tasks.SortingNatural}, want: "a1.jpg A2.jpg a2.jpg a10.jpg b/1.jpg é.jpg"},
		"predefined": {
			job: keyed("é.jpg", "gone.jpg", "a2.jpg", "é.jpg", "A2.jpg", "gone.jpg"), want: "é.jpg a2.jpg A2.jpg a1.jpg a10.jpg b/1.jpg",
			fit: &results.OrderFit{Unlisted: 3, Missing: 1, Examples: []string{"gone.jpg"}},
		},
		"all predefined": {
			job: keyed("é.jpg", "b/1.jpg", "a2.jpg", "A2.jpg", "a1.jpg", "a10.jpg"), want: "é.jpg b/1.jpg a2.jpg A2.jpg a1.jpg a10.jpg",
			fit: &results.OrderFit{},
		},
		"an object": {
			job: inObject(), text: "\ufeffb/1.jpg\r\n\r\n\na10.jpg\na1.jpg", want: "b/1.jpg a10.jpg a1.jpg A2.jpg a2.jpg é.jpg",
			fit: &results.OrderFit{Unlisted: 3},
		},
		"an empty object": {job: inObject(), text: "\n", want: "A2.jpg a1.jpg a10.jpg a2.jpg b/1.jpg é.jpg", fit: &results.OrderFit{Unlisted: 6}},
	} {
		o, err := load(t, c.job, c.text)
		if err != nil {
			t.Fatal(name, err)
		}
		got, fit := sorted(t, o, slices.Clone(entries))
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %s", name, got)
		}
		if diff := cmp.Diff(c.fit, fit); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

// The order of many keys takes 24 bytes a key, whatever their
// lengths, and is given back.
func TestOrder_OfMany(t *testing.T) {
	t.Parallel()
	const n = 30_000
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("a rather long directory/%06d.jpg", i)
	}
	r := rand.New(rand.NewPCG(1, 2))
	r.Shuffle(n, func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	w := jobtest.New()
	w.Put(t, "order.txt", strings.Join(keys, "\n"))
	budget := memory.New(3 << 20)
	j := inObject()
	j.Source = jobtest.Source("")
	o, err := order.Load(t.Context(), j, w.Open, budget)
	if err != nil {
		t.Fatal(err)
	}
	if release, ok := budget.TryAcquire(budget.Largest() - budget.Largest()/2 - n*24 + 1); ok {
		release()
		t.Error("the keys are not paid for")
	}
	got, fit := sorted(t, o, slices.Sorted(slices.Values(keys)))
	if !slices.Equal(got, keys) || fit.Missing != 0 || fit.Unlisted != 0 {
		t.Errorf("not in order: %+v", fit)
	}
	if release, ok := budget.TryAcquire(budget.Largest()); !ok {
		t.Error("memory is held afterwards")
	} else {
		release()
	}
	_, err = order.Load(t.Context(), j, w.Open, memory.New(900<<10))
	if err == nil || !strings.Contains(err.Error(), "memory") {
		t.Errorf("with too little memory: %v", err)
	}
}

func TestLoad_Refuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                  "not-found",
		"a\nb\xff\n":                        "line 2 is not UTF-8",
		"a\n\n" + strings.Repeat("x", 5000): "line 3 is longer than 4096 bytes",
		strings.Repeat("x", 5000) + "\na\n": "line 1 is longer than 4096 bytes",
		"a\n" + strings.Repeat("é", 2048) + "\n": "",
	} {
		_, err := load(t, inObject(), text)
		if want == "" && err == nil {
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "order.txt") {
			t.Errorf("%.20q: %v", text, err)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	j := inObject()
	j.Source = jobtest.Source("")
	e := jobtest.WantKind(t, order.Check(t.Context(), j, w.Open), providers.NotFound)
	if e.Key != "order.txt" {
		t.Error(e)
	}
	w.Put(t, "order.txt", "a\n")
	if err := order.Check(t.Context(), j, w.Open); err != nil {
		t.Error(err)
	}
	if err := order.Check(context.Background(), keyed("a"), nil); err != nil {
		t.Error(err)
	}
}
