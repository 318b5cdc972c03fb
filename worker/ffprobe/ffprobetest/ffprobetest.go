// Package ffprobetest makes videos for tests with FFmpeg. Only tests
// import it.
package ffprobetest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stevedore-jobs/stevedore/worker/ffprobe"
)

// Program returns the ffprobe of this machine. Without one the test is
// skipped, or fails if the services must be there.
func Program(t testing.TB) ffprobe.Program {
	t.Helper()
	return ffprobe.Program{Path: find(t, "ffprobe")}
}

func find(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
		return path
	case os.Getenv("REQUIRE_SERVICES") == "1":
		t.Fatalf("no %s: deploy/test.sh installs it", name)
	}
	t.Skipf("no %s: run deploy/test.sh, or install FFmpeg", name)
	return ""
}

// Video returns a video of 3 seconds of 10 frames, 64 pixels wide and 48
// high, in a format of FFmpeg. args say how to encode it.
func Video(t testing.TB, format string, args ...string) []byte {
	t.Helper()
	return encode(t, "testsrc=size=64x48:rate=10:duration=3", format, args)
}

// Sound returns a file that has sound and no video.
func Sound(t testing.TB) []byte {
	t.Helper()
	return encode(t, "sine=duration=1", "wav", nil)
}

func encode(t testing.TB, from, format string, args []string) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "media")
	all := []string{"-v", "error", "-f", "lavfi", "-i", from, "-pix_fmt", "yuv420p"}
	all = append(append(all, args...), "-f", format, file)
	cmd := exec.CommandContext(t.Context(), find(t, "ffmpeg"), all...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg %q: %v: %s", all, err, out)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
