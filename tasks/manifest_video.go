package tasks

import "github.com/stevedore-jobs/stevedore/tasks/fields"

// checkVideo checks the payload of the manifest of a video.
func (j BuildManifest) checkVideo(errs *fields.Errors) {
	if j.Video == "" {
		return
	}
	errs.Key("video", j.Video)
	errs.Inside("video", j.Source.Dir(), j.Video)
	for _, f := range []struct {
		name  string
		isSet bool
	}{
		{"include", len(j.Include) > 0},
		{"exclude", len(j.Exclude) > 0},
		{"min_size", j.MinSize != 0},
		{"max_size", j.MaxSize != 0},
		{"max_failed", j.MaxFailed != nil},
		{"sorting", j.Sorting != ""},
		{"unopenable", j.Unopenable != ""},
		{"dimension", j.Solid()},
		{"dialect", j.Dialect != "" && j.Dialect != DialectCVAT},
		{"checksum", j.Checksum},
		{"plain", j.Plain},
		{"dry_run", j.DryRun},
		{"inventory", j.Inventory != nil},
	} {
		if f.isSet {
			errs.Add(f.name, "is for manifests of images, and video names a video")
		}
	}
}
