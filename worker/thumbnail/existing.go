package thumbnail

import (
	"context"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/keyorder"
	"github.com/stevedore-jobs/stevedore/worker/keysearch"
)

// findExisting returns the full names of the thumbnails that the bucket
// already has, by their stems. It lists the directory around the stems,
// and makes no request for a single image. order is what is known of
// the bucket's order; 0 if nothing.
func findExisting(
	ctx context.Context, b providers.Bucket, dir string, stems []string, order keyorder.Order,
) (map[string]string, error) {
	search := keysearch.Search{
		Prefix: dir,
		Order:  order,
		NameOf: func(key string) (string, bool) {
			stem, _, _, ok := parseName(key)
			return stem, ok
		},
	}
	return search.Find(ctx, b, stems)
}
