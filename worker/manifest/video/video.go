// Package video makes CVAT's manifest of a single video.
//
// It reads the video as a whole, through a pipe to ffprobe, and knows no
// images.
package video

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"path"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/asciijson"
	"github.com/stevedore-jobs/stevedore/worker/ffprobe"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// Header is the first two lines of the manifest of a video (CVAT 2.73,
// utils/dataset_manifest/core.py).
const Header = `{"version":"1.1"}` + "\n" + `{"type":"video"}` + "\n"

const mediaType = "application/jsonl"

// Job is the job build-manifest for a payload with a video. Its methods
// are those of job.Sharded. There is one shard.
type Job struct {
	// FFprobe is the program that the operator allows. Without a path
	// the job is refused.
	FFprobe ffprobe.Program
}

var _ job.Sharded[tasks.BuildManifest] = Job{}

// Plan implements job.Sharded.
func (v Job) Plan(
	ctx context.Context, j tasks.BuildManifest, env job.Env,
	after string, emit func(job.Shard) error,
) error {
	if after != "" {
		return nil // the one shard is planned
	}
	if v.FFprobe.Path == "" {
		return &providers.Error{
			Op: "get", Bucket: j.Source.Bucket, Key: j.Video,
			Kind: providers.Invalid, Code: "VideoNotAllowed",
			Detail: "the worker has no ffprobe, which reads videos",
			Fix:    "The operator of the workers installs FFmpeg and sets STEVEDORE_FFPROBE.",
		}
	}
	to, _ := j.Target()
	if err := env.CheckTarget(ctx, to); err != nil {
		return err
	}
	return emit(job.Shard{Through: j.Video, Objects: 1})
}

// Work implements job.Sharded. Its item has the lines of the manifest.
func (v Job) Work(
	ctx context.Context, j tasks.BuildManifest, env job.Env, s job.Shard,
) iter.Seq2[job.Item, error] {
	return func(yield func(job.Item, error) bool) {
		if s.After == j.Video {
			return // an earlier run has stored the item
		}
		item, err := v.item(ctx, j, env)
		yield(item, err)
	}
}

func (v Job) item(
	ctx context.Context, j tasks.BuildManifest, env job.Env,
) (job.Item, error) {
	if env.BeforeObject != nil {
		if err := env.BeforeObject(ctx, j.Video); err != nil {
			return job.Item{}, err
		}
	}
	b, err := env.Open(ctx, j.Source)
	if err != nil {
		return job.Item{}, err
	}
	defer func() { _ = b.Close() }()
	body, err := b.Open(ctx, j.Video, providers.ReadOptions{})
	if err != nil {
		return job.Item{}, err
	}
	defer func() { _ = body.Close() }()
	found, err := v.FFprobe.Read(ctx, body, body.Object.Size)
	var unfit *ffprobe.Error
	if errors.As(err, &unfit) {
		err = &providers.Error{
			Op: "get", Bucket: j.Source.Bucket, Key: j.Video, Kind: providers.Invalid,
			Code: unfit.Code, Detail: unfit.Detail, Fix: unfit.Fix,
		}
	}
	if err != nil {
		return job.Item{}, err
	}
	return job.Item{
		Key: j.Video, Data: lines(j.Video, found), Tally: "entries", Bytes: body.Object.Size,
	}, nil
}

// lines returns the lines after the header. A key frame has no checksum:
// that takes a decoder. CVAT compares only the times (VideoManifestValidator,
// validate_key_frame).
func lines(key string, v ffprobe.Video) []byte {
	text := asciijson.AppendPython([]byte(`{"properties":{"name":`), path.Base(key))
	text = fmt.Appendf(text, `,"resolution":[%d,%d],"length":%d,"chapters":[]}}`+"\n",
		v.Width, v.Height, v.Frames)
	for _, k := range v.KeyFrames {
		text = fmt.Appendf(text, `{"number":%d,"pts":%d}`+"\n", k.Number, k.PTS)
	}
	return text
}

// Finish implements job.Sharded.
func (v Job) Finish(
	ctx context.Context, j tasks.BuildManifest, env job.Env, parts job.Parts,
) (tasks.Result, error) {
	to, key := j.Target()
	if parts.Tally["entries"] == 0 { // for example after it has killed workers
		return nil, &providers.Error{
			Op: "get", Bucket: j.Source.Bucket, Key: j.Video, Kind: providers.Invalid,
			Code: ffprobe.CodeUnreadable, Detail: "the video could not be read",
			Fix: "See the job's error list.",
		}
	}
	b, err := providers.OpenTarget(ctx, to, env.Open)
	if err != nil {
		return nil, err
	}
	defer func() { _ = b.Close() }()
	stored, err := job.Publish(ctx, b, key, mediaType, func(w io.Writer) error {
		if _, err := io.WriteString(w, Header); err != nil {
			return err
		}
		return job.WriteParts(w, parts.Data)
	})
	return tasks.BuildManifestResult{
		Key: key, Entries: keyFrames(parts), BytesRead: parts.Bytes,
		Size: int64(len(Header)) + parts.Size, Unchanged: stored.Unchanged,
		Unconditional: to.UnconditionalPut,
	}, err
}

// keyFrames counts the lines after the first.
func keyFrames(parts job.Parts) int64 {
	n := int64(-1)
	for piece, err := range parts.Data {
		if err == nil {
			n += int64(bytes.Count(piece, []byte("\n")))
		}
	}
	return n
}
