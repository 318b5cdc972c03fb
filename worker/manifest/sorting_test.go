package manifest

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/keyorder"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job/jobtest"
)

var nameIn = regexp.MustCompile(`"name":"([^"]*)"`)

// names returns the names of a manifest's entries, without extensions.
func names(t *testing.T, w *jobtest.World, key string) string {
	t.Helper()
	var all []string
	for _, found := range nameIn.FindAllStringSubmatch(w.Get(t, key), -1) {
		all = append(all, found[1])
	}
	return strings.Join(all, " ")
}

// Names that are equal for natsort are all there.
func TestJob_Sorting(t *testing.T) {
	t.Parallel()
	jobtest.InEachOrder(t, func(t *testing.T, order keyorder.Order) {
		w := jobtest.NewIn(order)
		for _, key := range []string{"in/img10.jpg", "in/img9.jpg", "in/img09.jpg", "in/IMG1.jpg", "in/a/2.jpg", "in/a-1.jpg"} {
			w.Put(t, key, jpegOf(1, 1, 1, 0))
		}
		w.Put(t, "in/order.txt", "in/img10.jpg\nin/gone.jpg\nin/a/2.jpg\n")
		j := payload()
		for _, c := range []struct {
			sorting string
			order   *tasks.ManifestOrder
			want    string
		}{
			{tasks.SortingNatural, nil, "a/2 a-1 IMG1 img09 img9 img10"},
			{tasks.SortingPredefined, &tasks.ManifestOrder{Keys: []string{"in/img9.jpg", "in/a-1.jpg"}}, "img9 a-1 IMG1 a/2 img09 img10"},
			{tasks.SortingPredefined, &tasks.ManifestOrder{Key: "in/order.txt"}, "img10 a/2 IMG1 a-1 img09 img9"},
			{tasks.SortingLexicographical, nil, "IMG1 a-1 a/2 img09 img10 img9"},
		} {
			j.Sorting, j.Order = c.sorting, c.order
			r := result(t, jobtest.Run(t, w, New(ample), j))
			if got := names(t, w, r.Key); got != c.want || (r.Order != nil) != (c.order != nil) {
				t.Errorf("%s: %s, %+v", c.sorting, got, r.Order)
			}
		}
	})
}

// A retry of the images that failed keeps the order.
func TestJob_RetryKeepsTheSorting(t *testing.T) {
	t.Parallel()
	for sorting, want := range map[string]string{
		tasks.SortingNatural: "img1 img2 img9 img10 img11", tasks.SortingPredefined: "img10 img9 img2 img1 img11",
	} {
		w := jobtest.New()
		for _, n := range []string{"1", "10", "11"} {
			w.Put(t, "in/img"+n+".jpg", jpegOf(1, 1, 1, 0))
		}
		w.Put(t, "in/img9.jpg", "broken")
		w.Put(t, "in/img2.jpg", "broken")
		j := payload()
		if j.Sorting = sorting; sorting == tasks.SortingPredefined {
			j.Order = &tasks.ManifestOrder{Keys: []string{"in/img10.jpg", "in/img9.jpg", "in/img2.jpg", "in/img1.jpg"}}
		}
		first := jobtest.Run(t, w, New(ample), j)
		w.Put(t, "in/img9.jpg", jpegOf(1, 1, 1, 0))
		w.Put(t, "in/img2.jpg", jpegOf(1, 1, 1, 0))
		r := result(t, jobtest.Retry(t, w, New(ample), j, first.Failed(1)))
		if got := names(t, w, r.Key); got != want {
			t.Errorf("%s: %s", sorting, got)
		}
		if r.Order != nil && (r.Order.Missing != 0 || r.Order.Unlisted != 1) {
			t.Errorf("%+v", r.Order)
		}
	}
}

// A job whose order does not exist fails before it reads an image.
func TestJob_OrderIsMissing(t *testing.T) {
	t.Parallel()
	w := zoo(t)
	w.Ops()
	j := payload()
	j.Sorting, j.Order = tasks.SortingPredefined, &tasks.ManifestOrder{Key: "in/ordr.txt"}
	e := jobtest.WantKind(t, jobtest.Run(t, w, New(ample), j).Err, providers.NotFound)
	if e.Key != "in/ordr.txt" || len(w.Ops("get")) > 0 {
		t.Error(e)
	}
}

func TestJob_WarnsOfTwins(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	for _, key := range []string{"a.jpg", "A.JPG", "e\u0301.png", "é.png", "f.png", "b.txt", "B.txt"} {
		w.Put(t, key, jpegOf(1, 1, 1, 0))
	}
	r := result(t, jobtest.Run(t, w, New(ample), tasks.BuildManifest{Plain: true, Source: jobtest.Source("")}))
	if r.Entries != 5 || r.Twins == nil || r.Twins.Groups != 2 || r.Twins.Entries != 4 || len(r.Twins.Examples) != 2 {
		t.Errorf("%d entries, %+v", r.Entries, r.Twins)
	}
	if r.Failed != 0 || !strings.Contains(r.Summary(), "4 entries with names that differ only in case or Unicode form") {
		t.Error(r.Summary())
	}
}
