package thumbnail

import (
	"context"

	"github.com/stevedore-jobs/stevedore/providers"
)

// findExisting returns the full names of the thumbnails that the
// bucket already has, by their stems. It takes one listing, from just
// before the smallest stem to just after the largest, and no request
// for a single image.
func findExisting(
	ctx context.Context, b providers.Bucket, dir string, stems map[string]bool,
) (map[string]string, error) {
	found := make(map[string]string, len(stems))
	if len(stems) == 0 {
		return found, nil
	}
	first, last := bounds(stems)
	for o, err := range b.List(ctx, providers.ListOptions{Prefix: dir, After: first}) {
		if err != nil {
			return nil, err
		}
		// The names of last start with last and a dot. In byte order
		// the slash comes right after the dot.
		if o.Key >= last+"/" {
			break
		}
		if stem, _, _, ok := parseName(o.Key); ok && stems[stem] && found[stem] == "" {
			found[stem] = o.Key
		}
	}
	return found, nil
}

func bounds(stems map[string]bool) (first, last string) {
	for s := range stems {
		if first == "" || s < first {
			first = s
		}
		last = max(last, s)
	}
	return first, last
}
