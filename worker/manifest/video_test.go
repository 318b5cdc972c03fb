package manifest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/ffprobe"
	"github.com/stevedore-jobs/stevedore/worker/ffprobe/ffprobetest"
	"github.com/stevedore-jobs/stevedore/worker/job/jobtest"
)

// The manifest of a video is as CVAT's, but for the checksums of the key
// frames, which CVAT does not read.
func TestJob_Video(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	w.Put(t, "in/a b.mp4", string(ffprobetest.Video(t, "mp4", "-c:v", "libx264", "-g", "10", "-bf", "2", "-movflags", "+faststart")))
	j := tasks.BuildManifest{Source: jobtest.Source("in/"), Video: "in/a b.mp4"}
	m := New(ample).WithFFprobe(ffprobetest.Program(t))
	r := result(t, jobtest.Run(t, w, m, j))
	var want strings.Builder
	want.WriteString(`{"version":"1.1"}` + "\n" + `{"type":"video"}` + "\n" +
		`{"properties":{"name":"a b.mp4","resolution":[64,48],"length":30,"chapters":[]}}` + "\n")
	for _, n := range []int{0, 10, 20} {
		fmt.Fprintf(&want, `{"number":%d,"pts":%d}`+"\n", n, n*1024)
	}
	got := w.Get(t, "in/manifest.jsonl")
	if diff := cmp.Diff(want.String(), got); diff != "" || r.Entries != 3 || r.Size != int64(len(got)) || r.Unchanged {
		t.Errorf("%+v\n%s", r, diff)
	}
	if again := result(t, jobtest.Run(t, w, m, j)); !again.Unchanged || again.Entries != 3 {
		t.Errorf("the second run: %+v", again)
	}
}

// A video that cannot be read, or that the operator does not allow,
// fails the job. Nothing is written.
func TestJob_VideoFails(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	w.Put(t, "garbage.mp4", strings.Repeat("garbage", 100))
	for name, c := range map[string]struct {
		program ffprobe.Program
		video   string
		kind    providers.Kind
		code    string
	}{
		"garbage":     {ffprobetest.Program(t), "garbage.mp4", providers.Invalid, ffprobe.CodeUnreadable},
		"missing":     {ffprobetest.Program(t), "missing.mp4", providers.NotFound, "NoSuchKey"},
		"not allowed": {ffprobe.Program{}, "garbage.mp4", providers.Invalid, "VideoNotAllowed"},
	} {
		j := tasks.BuildManifest{Source: jobtest.Source(""), Video: c.video}
		out := jobtest.Run(t, w, New(ample).WithFFprobe(c.program), j)
		if e := jobtest.WantKind(t, out.Err, c.kind); e.Code != c.code {
			t.Errorf("%s: %v", name, out.Err)
		}
	}
	if puts := w.Ops("put"); len(puts) > 0 {
		t.Errorf("written: %q", puts)
	}
}
