package ffprobe

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/stevedore-jobs/stevedore/worker/steps"
)

const (
	// maxFrames is how many frames a video may have: 18 hours at 30 a
	// second. Their times take 16 MB.
	maxFrames = 2_000_000
	// maxDistance is how many frames a key frame stands for on average
	// in a video that CVAT takes: less than this (CVAT 2.73,
	// utils/dataset_manifest/core.py, validate_frames_ratio).
	maxDistance = 109
	maxSide     = 1 << 16 // pixels
	lineWork    = 64      // steps that a line takes beside its bytes
)

// reader reads the output of ffprobe: a line for each packet, which
// holds a frame, and one for the stream.
type reader struct {
	times         []int64 // PTS of the frames, in the order of the file
	keys          []int64 // PTS of the key frames
	width, height int
	turned        bool // by a quarter
	lastDTS       int64
	hasDTS        bool
	startsWithKey bool
}

func (r *reader) read(ctx context.Context, from io.Reader) error {
	var work steps.Counter
	s := lines(from)
	for s.Scan() {
		if err := work.Add(ctx, lineWork+len(s.Bytes())); err != nil {
			return err
		}
		section, fields := parse(s.Text())
		switch section {
		case "packet":
			if err := r.packet(fields); err != nil {
				return err
			}
		case "stream":
			r.stream(fields)
		}
	}
	if err := s.Err(); err != nil {
		return &Error{CodeUnreadable, "ffprobe printed what it should not: " + err.Error(), ""}
	}
	return nil
}

// parse reads a line such as packet|pts=0|flags=K_.
func parse(line string) (section string, fields map[string]string) {
	section, rest, _ := strings.Cut(line, "|")
	fields = map[string]string{}
	for field := range strings.SplitSeq(rest, "|") {
		name, value, _ := strings.Cut(field, "=")
		fields[name] = value
	}
	return section, fields
}

func (r *reader) packet(fields map[string]string) error {
	if len(r.times) >= maxFrames {
		return &Error{CodeTooLarge, fmt.Sprintf("it has more than %d frames", maxFrames), ""}
	}
	pts, err := strconv.ParseInt(fields["pts"], 10, 64)
	if err != nil {
		return unsuitable("frame %d of the file has no time (PTS)", len(r.times))
	}
	if dts, err := strconv.ParseInt(fields["dts"], 10, 64); err == nil {
		if r.hasDTS && dts <= r.lastDTS {
			return unsuitable("the times of decoding (DTS) do not grow at frame %d of the file",
				len(r.times))
		}
		r.lastDTS, r.hasDTS = dts, true
	}
	isKey := strings.HasPrefix(fields["flags"], "K")
	if isKey {
		r.keys = append(r.keys, pts)
	}
	if len(r.times) == 0 {
		r.startsWithKey = isKey
	}
	r.times = append(r.times, pts)
	return nil
}

func (r *reader) stream(fields map[string]string) {
	r.width, _ = strconv.Atoi(fields["width"])
	r.height, _ = strconv.Atoi(fields["height"])
	for name, value := range fields {
		if strings.HasSuffix(name, "rotation") || strings.HasSuffix(name, "rotate") {
			angle, _ := strconv.ParseFloat(value, 64)
			r.turned = r.turned || int(angle)%180 != 0
		}
	}
}

// video checks what CVAT checks, and numbers the key frames.
func (r *reader) video(ctx context.Context) (Video, error) {
	isSide := func(n int) bool { return n > 0 && n <= maxSide }
	switch {
	case len(r.times) == 0 || !isSide(r.width) || !isSide(r.height):
		return Video{}, &Error{CodeUnreadable, "it has no video stream with frames", ""}
	case !r.startsWithKey:
		return Video{}, unsuitable("its first frame is no key frame")
	case len(r.times)/len(r.keys) >= maxDistance:
		return Video{}, unsuitable("it has %d key frames for %d frames, and CVAT needs one for %d",
			len(r.keys), len(r.times), maxDistance-1)
	}
	compare := func(a, b int64) int {
		if a < b {
			return -1
		}
		return int(min(1, a-b))
	}
	if err := steps.Sort(ctx, r.times, compare); err != nil {
		return Video{}, err
	}
	v := Video{Width: r.width, Height: r.height, Frames: len(r.times)}
	if r.turned {
		v.Width, v.Height = v.Height, v.Width
	}
	slices.Sort(r.keys)
	for _, pts := range r.keys {
		number, _ := slices.BinarySearch(r.times, pts)
		v.KeyFrames = append(v.KeyFrames, KeyFrame{number, pts})
	}
	for i := 1; i < len(r.times); i++ {
		if r.times[i] == r.times[i-1] {
			return Video{}, unsuitable("two frames have the same time (PTS), %d", r.times[i])
		}
	}
	return v, nil
}

func unsuitable(format string, args ...any) *Error {
	return &Error{
		CodeUnsuitable, fmt.Sprintf(format, args...) + "; CVAT refuses such a manifest",
		"Encode the video anew, for example: ffmpeg -i VIDEO -g 36 -movflags +faststart OUT.mp4",
	}
}
