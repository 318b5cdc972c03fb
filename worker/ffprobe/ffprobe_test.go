package ffprobe_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/worker/ffprobe"
	"github.com/stevedore-jobs/stevedore/worker/ffprobe/ffprobetest"
)

func read(t *testing.T, data []byte) (ffprobe.Video, error) {
	t.Helper()
	return ffprobetest.Program(t).Read(t.Context(), bytes.NewReader(data), int64(len(data)))
}

// Frames are numbered as they are displayed, not as they are stored: a
// key frame may be stored before frames that are displayed before it.
func TestRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args   []string
		format string
		width  int
		frames int
		keys   []int
	}{
		"MP4":      {[]string{"-c:v", "libx264", "-g", "10", "-bf", "2", "-movflags", "+faststart"}, "mp4", 64, 30, []int{0, 10, 20}},
		"Open GOP": {[]string{"-c:v", "mpeg2video", "-g", "10", "-bf", "2"}, "mpegts", 64, 30, nil},
		"Matroska": {[]string{"-c:v", "libx264", "-g", "15", "-bf", "0"}, "matroska", 64, 30, []int{0, 15}},
		"MJPEG":    {[]string{"-c:v", "mjpeg"}, "avi", 64, 30, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, err := read(t, ffprobetest.Video(t, c.format, c.args...))
			if err != nil {
				t.Fatal(err)
			}
			var keys []int
			for _, k := range v.KeyFrames {
				keys = append(keys, k.Number)
			}
			if v.Width != c.width || v.Height != 48 || v.Frames != c.frames || c.keys != nil && !slices.Equal(keys, c.keys) || !slices.IsSorted(keys) {
				t.Errorf("%+v", v)
			}
		})
	}
}

// What CVAT refuses, and what is no video, is said.
func TestRead_Unfit(t *testing.T) {
	t.Parallel()
	whole := ffprobetest.Video(t, "mpegts", "-c:v", "libx264", "-g", "30")
	for name, c := range map[string]struct {
		data       []byte
		code, says string
	}{
		"Garbage": {[]byte(strings.Repeat("garbage", 1000)), ffprobe.CodeUnreadable, "Invalid data"},
		"Empty":   {nil, ffprobe.CodeUnreadable, ""},
		"Sound":   {ffprobetest.Sound(t), ffprobe.CodeUnreadable, "no video stream"},
		"FewKeys": {ffprobetest.Video(t, "mpegts", "-c:v", "libx264", "-g", "300", "-vf", "fps=100"), ffprobe.CodeUnsuitable, "key frames for 300 frames"},
		"Playlist": {
			[]byte("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:1/x.ts\n#EXT-X-ENDLIST\n"), ffprobe.CodeUnreadable, "",
		},
		"Half": {whole[len(whole)/2:], "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, err := read(t, c.data)
			var e *ffprobe.Error
			switch {
			case c.code == "" && err == nil:
			case !errors.As(err, &e) || c.code != "" && e.Code != c.code || !strings.Contains(e.Detail, c.says):
				t.Errorf("%+v, %v", v, err)
			}
		})
	}
}

// An error of the bucket comes back as it is, and a context ends a body
// that does not.
func TestRead_BodyFails(t *testing.T) {
	t.Parallel()
	p := ffprobetest.Program(t)
	broken := errors.New("connection reset")
	start := ffprobetest.Video(t, "mpegts", "-c:v", "libx264")[:2000]
	if _, err := p.Read(t.Context(), io.MultiReader(bytes.NewReader(start), errorReader{broken}), 1<<20); !errors.Is(err, broken) {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	begun := time.Now()
	if _, err := p.Read(ctx, io.MultiReader(bytes.NewReader(start), waiting{ctx}), 1<<40); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) > 30*time.Second {
		t.Errorf("after %s: %v", time.Since(begun), err)
	}
}

// A program that prints without end, or takes too much memory, is ended.
func TestRead_HostileProgram(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ script, says string }{
		"Endless line":  {"exec yes packet | tr -d '\\n'", "printed what it should not"},
		"Endless lines": {"i=0; while :; do echo \"packet|pts=$i|dts=$i|flags=K_\"; echo \"packet|pts=1|dts=0|flags=K_\"; done", "do not grow"},
		"Memory":        {"exec tail -c 3000000000 /dev/zero >/dev/null", ""},
		"Sizes":         {"echo 'packet|pts=1|flags=K'; echo 'stream|width=999999999|height=2'", "no video stream"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "ffprobe")
			if err := os.WriteFile(path, []byte("#!/bin/sh\nPATH=/usr/bin:/bin\n"+c.script+"\n"), 0o700); err != nil { //nolint:gosec // a program
				t.Fatal(err)
			}
			_, err := ffprobe.Program{Path: path}.Read(t.Context(), strings.NewReader("x"), 1)
			var e *ffprobe.Error
			if !errors.As(err, &e) || !strings.Contains(e.Detail, c.says) {
				t.Errorf("%v", err)
			}
		})
	}
	path := filepath.Join(t.TempDir(), "ffprobe")
	script := "#!/bin/sh\necho 'packet|pts=5|dts=N/A|flags=K_'\necho 'stream|width=64|height=48|side_data|rotation=-90'\n"
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	if v, err := (ffprobe.Program{Path: path}).Read(t.Context(), strings.NewReader(""), 0); err != nil || v.Width != 48 || v.Height != 64 {
		t.Errorf("a turned video: %+v, %v", v, err)
	}
	if _, err := (ffprobe.Program{Path: "/no/such/program"}).Read(t.Context(), strings.NewReader(""), 0); !errors.Is(err, os.ErrNotExist) && !errors.Is(err, exec.ErrNotFound) {
		t.Error(err)
	}
}

type errorReader struct{ err error }

func (r errorReader) Read([]byte) (int, error) { return 0, r.err }

// waiting sends nothing until its context ends.
type waiting struct{ ctx context.Context }

func (w waiting) Read([]byte) (int, error) {
	<-w.ctx.Done()
	return 0, context.Cause(w.ctx)
}
