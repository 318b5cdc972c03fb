package walk_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/stevedore-jobs/stevedore/tasks/walk"
)

func TestNamed(t *testing.T) {
	t.Parallel()
	var found []string
	for path, p := range walk.Named[part](example()) {
		found = append(found, path+"="+p.Name)
	}
	want := []string{
		"Embedded=embedded", "direct=direct", "inner.optional=optional", "list[2].optional=listed",
		"pair[0]=first", "pair[1]=second", "self.Embedded=", "self.direct=own", "self.pair[0]=", "self.pair[1]=",
	}
	if !slices.Equal(found, want) {
		t.Errorf("found %q, want %q", found, want)
	}
	for path := range walk.Named[part](example()) {
		if path == "inner.optional" {
			break // this must not panic
		}
	}
}

func TestReplaceNamed(t *testing.T) {
	t.Parallel()
	original := example()
	c := walk.NewCopy(original)
	err := walk.ReplaceNamed(c, func(path string, p part) (part, error) {
		p.Name = "new " + path
		return p, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for path, p := range walk.Named[part](c.Interface()) {
		if p.Name != "new "+path {
			t.Errorf("at %s there is %s", path, p.Name)
		}
	}
	for path, p := range walk.Named[part](original) {
		if p.Name == "new "+path {
			t.Errorf("%s of the original was changed", path)
		}
	}
	stop, calls := errors.New("stop"), 0
	err = walk.ReplaceNamed(c, func(_ string, p part) (part, error) {
		calls++
		return p, stop
	})
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("%d calls, %v", calls, err)
	}
}
