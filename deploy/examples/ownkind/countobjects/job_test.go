package countobjects_test

import (
	"maps"
	"strings"
	"testing"

	"example.com/ownkind/countobjects"
	"github.com/stevedore-jobs/stevedore/worker/job/jobtest"
)

// jobtest runs the job on a bucket in memory, and interrupts every
// shard.
func TestCount(t *testing.T) {
	t.Parallel()
	w := jobtest.New("images")
	for key, size := range map[string]int{"a.jpg": 3, "b/c.JPG": 4, "b/d.png": 5, "tmp/e.png": 6, "f": 7} {
		w.Put(t, key, strings.Repeat("x", size))
	}
	payload := countobjects.Payload{Source: jobtest.Source(""), Exclude: []string{"tmp/"}}
	outcome := jobtest.Run(t, w, countobjects.Job{}, payload)

	want := map[string]countobjects.Count{
		".jpg": {Objects: 2, Bytes: 7}, ".png": {Objects: 1, Bytes: 5}, "": {Objects: 1, Bytes: 7},
	}
	r, ok := outcome.Result.(countobjects.Result)
	if !ok || r.Objects != 4 || r.Bytes != 19 || !maps.Equal(r.Extensions, want) {
		t.Errorf("the result is %+v, want %v", outcome.Result, want)
	}
}

func TestKindIsValid(t *testing.T) {
	t.Parallel()
	if err := countobjects.Kind().Validate(); err != nil {
		t.Error(err)
	}
	err := countobjects.Payload{Exclude: []string{""}}.Validate()
	for _, fault := range []string{"source.provider: empty", "source.bucket: empty", "exclude[0]: empty"} {
		if err == nil || !strings.Contains(err.Error(), fault) {
			t.Errorf("%q is not in %v", fault, err)
		}
	}
}
