package tasks

import "github.com/stevedore-jobs/stevedore/tasks/fields"

// The values of BuildManifest.Unopenable.
const (
	UnopenableLeaveOut = "leave-out"
	UnopenableInclude  = "include"
)

// The values of BuildManifest.Dimension.
const (
	Dimension2D = "2d"
	Dimension3D = "3d"
)

// The values of BuildManifest.Dialect.
const (
	// DialectCVAT is CVAT's dataset manifest.
	DialectCVAT = "cvat"
	// DialectSageMaker is the input manifest of SageMaker Ground Truth:
	// one source-ref a line.
	DialectSageMaker = "sagemaker"
	// DialectLabelStudio is a list of tasks for Label Studio, one an
	// image.
	DialectLabelStudio = "label-studio"
)

// Solid reports whether the entries are point clouds.
func (j BuildManifest) Solid() bool { return j.Dimension == Dimension3D }

// extension returns what the key of a manifest ends in.
func (j BuildManifest) extension() string {
	if j.Dialect == DialectLabelStudio {
		return ".json"
	}
	return ".jsonl"
}

func (j BuildManifest) checkForm(errs *fields.Errors) {
	for _, f := range []struct {
		name, value string
		allowed     []string
	}{
		{"unopenable", j.Unopenable, []string{UnopenableLeaveOut, UnopenableInclude}},
		{"dimension", j.Dimension, []string{Dimension2D, Dimension3D}},
		{"dialect", j.Dialect, []string{DialectCVAT, DialectSageMaker, DialectLabelStudio}},
	} {
		if f.value != "" {
			errs.OneOf(f.name, f.value, f.allowed)
		}
	}
	if j.Solid() && j.Dialect != "" && j.Dialect != DialectCVAT {
		errs.Add("dialect", "%s lists images only, not point clouds", j.Dialect)
	}
	switch isOther := j.Dialect != "" && j.Dialect != DialectCVAT; {
	case j.Plain && isOther:
		errs.Add("plain", "is for the dialect cvat alone: %s has no such keys", j.Dialect)
	case j.Checksum && j.Solid():
		errs.Add("checksum", "must be absent for 3d: CVAT fails on point clouds with checksums")
	case j.Checksum && isOther:
		errs.Add("checksum", "must be absent for %s, which has no checksums", j.Dialect)
	}
	switch p := j.Source.Provider; {
	case j.Dialect == DialectSageMaker && p != "s3":
		errs.Add("dialect", "SageMaker reads images from S3 only")
	case j.Dialect == DialectLabelStudio && p != "s3" && p != "gcs" && p != "azure":
		errs.Add("dialect", "Label Studio reads images from s3, gcs and azure only")
	}
}
