package job

import (
	"fmt"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// NoImages returns the error of a job that has found no usable image,
// for example because the prefix of its source is mistyped. failed and
// skipped count the objects that were found. The last sentence of the
// advice tells what the job has not written.
func NoImages(source tasks.Storage, failed, skipped int64, notWritten string) error {
	fix := "Check the prefix of the source, include and exclude. " +
		"A glob must match the whole key: **/*.jpg also matches a/b.jpg, *.jpg does not. "
	if failed > 0 {
		fix = "See the job's error list for why each image failed. "
	}
	return &providers.Error{
		Op: "list", Bucket: source.Bucket, Kind: providers.Invalid, Code: "NoImages",
		Detail: fmt.Sprintf("no usable image under %s: %d failed, %d other objects skipped",
			source, failed, skipped),
		Fix: fix + notWritten,
	}
}
