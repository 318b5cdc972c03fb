package imagehead

import (
	"errors"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// Python's os.path.splitext gives the same.
func TestExtension(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{
		"a.jpg": ".jpg", "a.JPEG": ".JPEG", "x.tar.png": ".png", ".hidden.jpg": ".jpg", ".jpg": "", "...jpg": "", "a.b/c": "",
		"a.b/.c": "", "a.b/.c.d": ".d", "a": "", "": "", "a.": ".", "a/": "", "dir.png/": "", "..a.b": ".b", "a..": ".",
	} {
		if got := Extension(key); got != want {
			t.Errorf("Extension(%q) = %q, want %q", key, got, want)
		}
	}
}

func TestByName(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]Naming{
		"a.jpg": Image, "a.JPG": Image, "a/b.PnG": Image, "a.webp": Image, "a.tif": Image, "a.jfif": Image,
		"a.heic": Unreadable, "a.CR2": Unreadable, "a.exr": Unreadable,
		"a": NotImage, "a.txt": NotImage, ".jpg": NotImage, "a.svg": NotImage, "manifest.jsonl": NotImage, "a.mp4": NotImage,
		"a.jpg/": NotImage, "a.png.gz": NotImage, "a.bin": NotImage, "a.pcd": NotImage,
	} {
		if got := ByName(key); got != want {
			t.Errorf("ByName(%q) = %d, want %d", key, got, want)
		}
	}
}

func TestCheckKey(t *testing.T) {
	t.Parallel()
	good := []string{"a", "a/b.jpg", "a b/ü😀.png", "..a/b..", "a/...", "tab\t", strings.Repeat("ü", 1024)}
	bad := []string{
		"", "/a", "a/", "a//b", "./a", "a/./b", "..", "../a", "a/..", `a\b`, "\xff", "a\x00", strings.Repeat("a", 1025),
	}
	for _, key := range good {
		if err := CheckKey(key); err != nil {
			t.Errorf("%q: %v", key, err)
		}
	}
	for _, key := range bad {
		var e *head.Error
		if err := CheckKey(key); !errors.As(err, &e) || e.Code != head.CodeUnusableKey {
			t.Errorf("%q: %v", key, err)
		}
	}
}

func TestFirstRead(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]int64{"a.jpg": 16384, "a.JPE": 16384, "a": 16384, "a.png": 4096, "a.webp": 4096} {
		if got := FirstRead(key); got != want {
			t.Errorf("%s: %d, want %d", key, got, want)
		}
	}
}

func TestRefineError(t *testing.T) {
	t.Parallel()
	_, unknown := parse([]byte("something else"))
	_, cut := parse([]byte{0xff, 0xd8, 0xff})
	other := errors.New("other")
	for _, c := range []struct {
		key  string
		err  error
		want string
	}{
		{"a.jpg", unknown, head.CodeCorrupt}, {"a.PNG", unknown, head.CodeCorrupt}, {"a.raw", unknown, head.CodeUnsupported}, {"a.raw", cut, head.CodeCorrupt},
	} {
		var e *head.Error
		if !errors.As(RefineError(c.key, c.err), &e) || e.Code != c.want {
			t.Errorf("%s: %v, want %s", c.key, e, c.want)
		}
	}
	if !errors.Is(RefineError("a.raw", other), other) || RefineError("a.raw", nil) != nil {
		t.Error("it changes errors of others")
	}
}
