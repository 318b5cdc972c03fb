package tasks

import (
	"reflect"

	"github.com/stevedore-jobs/stevedore/tasks/fields"
)

// checkVideo checks the payload of the manifest of a video.
func (j BuildManifest) checkVideo(errs *fields.Errors) {
	if j.Video == "" {
		return
	}
	errs.Key("video", j.Video)
	errs.Inside("video", j.Source.Dir(), j.Video)
	bare := BuildManifest{Terms: j.Terms, Source: j.Source, Destination: j.Destination}
	bare.Manifest, bare.Video = j.Manifest, j.Video
	if !reflect.DeepEqual(j, bare) {
		errs.Add("video",
			"goes with source, destination and manifest only: other fields are for images")
	}
}
