package naming

import (
	"strings"

	"github.com/stevedore-jobs/stevedore/worker/export/annotation"
)

// Directories are those that the names of images have, as a tree: it
// holds each directory once, and of its path only the last segment. Case
// and Unicode composition are ignored. The zero value is empty.
type Directories struct{ places map[directory]int32 }

// directory is a directory in another one. The place of a subset's
// directory is in 0.
type directory struct {
	in   int32
	name string // folded
}

// Add adds all directories of a path in a subset. It returns false if
// there would be more than annotation.MaxDirectories.
func (d *Directories) Add(subset, path string) bool {
	if d.places == nil {
		d.places = map[directory]int32{}
	}
	at := directory{0, Fold(subset)}
	for {
		name, rest, more := strings.Cut(path, "/")
		place, known := d.places[at]
		if !known {
			if len(d.places) == annotation.MaxDirectories {
				return false
			}
			place = int32(len(d.places)) + 1
			d.places[at] = place
		}
		if !more {
			return true
		}
		at, path = directory{place, Fold(name)}, rest
	}
}

// Has reports whether a path in a subset is one of the directories.
func (d *Directories) Has(subset, path string) bool {
	place, known := d.places[directory{0, Fold(subset)}]
	for name := range strings.SplitSeq(path, "/") {
		if !known {
			return false
		}
		place, known = d.places[directory{place, Fold(name)}]
	}
	return known
}
