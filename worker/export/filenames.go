package export

import (
	"context"

	"github.com/stevedore-jobs/stevedore/worker/export/naming"
	"github.com/stevedore-jobs/stevedore/worker/steps"
)

// nameFiles gives every exported image a file name. Without their
// extensions the names are unique in a subset, even if case and
// Unicode composition are ignored (GEN-02, COCO-19).
//
// Images keep their own names where possible; earlier images of the
// document come first. The other names get a short hash.
func nameFiles(ctx context.Context, d *dataset) error {
	n := naming.New(&d.directories, len(d.images))
	var work steps.Counter
	var rest []*imageRecord
	for im := range d.exported() {
		if err := work.Add(ctx, nameWork*len(im.Name)); err != nil {
			return err
		}
		if naming.Safe(im.Name) == im.Name && n.Take(im.Subset, im.Name) {
			im.File = im.Name
		} else {
			rest = append(rest, im)
		}
	}
	for _, im := range rest {
		if err := work.Add(ctx, nameWork*len(im.Name)); err != nil {
			return err
		}
		im.File = n.Rename(im.Subset, im.Name)
	}
	return nil
}

// nameWork is how many steps a byte of a name takes.
const nameWork = 32
