package walk_test

import (
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
