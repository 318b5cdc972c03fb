package export

import (
	"context"
	"errors"
	"io"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/worker/export/annotation"
	"github.com/stevedore-jobs/stevedore/worker/export/formats"
	"github.com/stevedore-jobs/stevedore/worker/steps"
)

// document is the object with the annotations.
type document struct {
	bucket    providers.Bucket
	name, key string // of the bucket and the object
	format    string
	etag      string // of the version that the first scan read
	size      int64  // bytes of that version
}

// scan reads the document from its start to its end. It calls do for
// each image, with the reader ready to read the image's shapes. An
// error of do ends the scan.
//
// All scans read one version: if the document has changed since the
// first scan, the error is a Conflict.
func (d *document) scan(
	ctx context.Context, do func(formats.Reader, annotation.Image) error,
) (annotation.Schema, error) {
	body, err := d.bucket.Open(ctx, d.key, providers.ReadOptions{IfMatch: d.etag})
	if err != nil {
		return annotation.Schema{}, err
	}
	defer func() { _ = body.Close() }()
	d.etag, d.size = body.Object.ETag, body.Object.Size

	r, known := formats.NewReader(d.format, steps.Reader(ctx, body))
	if !known {
		return annotation.Schema{}, unknownFormat(d.format)
	}
	schema, err := r.Schema()
	if err != nil {
		return annotation.Schema{}, d.failed(err)
	}
	for {
		im, err := r.Next()
		if errors.Is(err, io.EOF) {
			return schema, nil
		}
		if err == nil {
			err = located(do(r, im), r, im)
		}
		if err == nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return annotation.Schema{}, d.failed(err)
		}
	}
}

// located adds to a document's error the line and the image, unless it
// has a line.
func located(err error, r formats.Reader, im annotation.Image) error {
	var bad *annotation.DocumentError
	if errors.As(err, &bad) && bad.Line == 0 {
		bad.Line, bad.Image = r.Line(), im.Name
	}
	return err
}

// failed turns an error of a scan into the job's error.
func (d *document) failed(err error) error {
	var bad *annotation.DocumentError
	if !errors.As(err, &bad) {
		return providers.Failed("get", d.name, d.key, err)
	}
	return &providers.Error{
		Op: "read", Bucket: d.name, Key: d.key, Kind: providers.Invalid,
		Code: bad.Code, Detail: bad.Error(), Fix: bad.Fix,
	}
}
