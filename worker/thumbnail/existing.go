package thumbnail

import (
	"context"

	"github.com/stevedore-jobs/stevedore/providers"
)

// existing finds which of the stems have a thumbnail, and its full name. It
// is one listing, from just before the smallest to just past the largest,
// never a request an image.
func existing(ctx context.Context, b providers.Bucket, dir string, stems map[string]bool) (map[string]string, error) {
	found := make(map[string]string, len(stems))
	if len(stems) == 0 {
		return found, nil
	}
	first, last := bounds(stems)
	for o, err := range b.List(ctx, providers.ListOptions{Prefix: dir, After: first}) {
		if err != nil {
			return nil, err
		}
		if o.Key >= last+"/" { // the names of last start with last and a dot, which is just before the slash
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
