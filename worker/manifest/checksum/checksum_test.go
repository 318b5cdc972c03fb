package checksum

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // see checksum.go
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stevedore-jobs/stevedore/deploy/oracles"
	"github.com/stevedore-jobs/stevedore/worker/imagehead"
)

// sumOf returns the checksum of an object.
func sumOf(t *testing.T, data []byte) (string, error) {
	t.Helper()
	size := int64(len(data))
	h, err := imagehead.Read(func(off, n int64) ([]byte, error) { return data[off : off+n], nil }, size, size)
	if err != nil || Memory(h, size) == 0 {
		return "", ErrNone
	}
	return Sum(t.Context(), h, bytes.NewReader(data))
}

//go:embed testdata/pillow.py
var pillowProgram string

// without are the files of pillow.py that get no checksum.
var without = []string{
	"animated", "other", "tif-none-", "bmp-1-", "bmp-16-", "pnm-scaled", "pnm-16.", "pnm-plain", "png-cut", "png-interlaced", "png-no-palette",
}

// Each form that is decoded has the checksum that CVAT computes with
// Pillow.
func TestOracleChecksums(t *testing.T) {
	t.Parallel()
	lines := bytes.Split(bytes.TrimSpace(oracles.Run(t, pillowProgram, nil, t.TempDir())), []byte("\n"))
	if len(lines) < 300 {
		t.Errorf("only %d files", len(lines))
	}
	for _, line := range lines {
		var want struct{ Path, Sum, Error string }
		if err := json.Unmarshal(line, &want); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		data, err := os.ReadFile(want.Path)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(want.Path)
		isWithout := false
		for _, prefix := range without {
			isWithout = isWithout || strings.HasPrefix(name, prefix)
		}
		sum, err := sumOf(t, data)
		switch {
		case isWithout && !errors.Is(err, ErrNone):
			t.Errorf("%s has the checksum %s, %v; Pillow has %s", name, sum, err, want.Sum)
		case !isWithout && sum != want.Sum:
			t.Errorf("%s: %s, %v; Pillow has %s %s", name, sum, err, want.Sum, want.Error)
		}
	}
}

// trailer is how many bytes of the file of pngOf stand behind all that
// its pixels need.
const trailer = 12 + 4 + 4 + 8

// pngOf returns an image with a gradient as a PNG.
func pngOf(t testing.TB) (file, pixels []byte) {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, 37, 21))
	for i := range img.Pix {
		img.Pix[i] = byte(i * i)
	}
	img.Set(0, 0, color.NRGBA{1, 2, 3, 4})
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), img.Pix
}

func TestSum(t *testing.T) {
	t.Parallel()
	file, pixels := pngOf(t)
	want := md5.Sum(pixels) //nolint:gosec // see checksum.go
	if sum, err := sumOf(t, file); err != nil || sum != hex.EncodeToString(want[:]) {
		t.Errorf("%s, %v", sum, err)
	}
	for n := range len(file) - trailer {
		if sum, err := sumOf(t, file[:n]); !errors.Is(err, ErrNone) {
			t.Fatalf("the first %d of %d bytes: %s, %v", n, len(file), sum, err)
		}
	}
}

// The errors of reading, and the end of the context, are not ErrNone.
func TestSum_Errors(t *testing.T) {
	t.Parallel()
	file, _ := pngOf(t)
	h, err := imagehead.Read(func(off, n int64) ([]byte, error) { return file[off : off+n], nil }, int64(len(file)), 4096)
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("the connection is broken")
	for n := range len(file) - trailer {
		body := iotest.ErrReader(broken)
		if sum, err := Sum(t.Context(), h, iotest.DataErrReader(&joined{bytes.NewReader(file[:n]), body})); !errors.Is(err, broken) {
			t.Fatalf("broken after %d bytes: %s, %v", n, sum, err)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(broken)
	h.Height = 1 << 30
	if sum, err := Sum(ctx, h, bytes.NewReader(file)); !errors.Is(err, broken) {
		t.Errorf("%s, %v", sum, err)
	}
}

// joined reads data, and then an error.
type joined struct {
	data *bytes.Reader
	rest interface{ Read([]byte) (int, error) }
}

func (j *joined) Read(p []byte) (int, error) {
	if j.data.Len() > 0 {
		return j.data.Read(p)
	}
	return j.rest.Read(p)
}

// Whatever an object holds: no panic, and a checksum or ErrNone.
func FuzzSum(f *testing.F) {
	file, _ := pngOf(f)
	f.Add(file)
	f.Add([]byte("P6 # a\n2 1\n255\nabcdef"))
	f.Add([]byte("P4 9 2\nabcd"))
	f.Add([]byte("BM\x00\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00\x01\x00\x00\x00\xff\xff\xff\xff\x01\x00\x18\x00" + strings.Repeat("\x00", 30)))
	f.Add([]byte("II*\x00\x08\x00\x00\x00\x07\x00\x00\x01\x03\x00\x01\x00\x00\x00\x01\x00\x00\x00\x01\x01\x03\x00\x01\x00\x00\x00\x01\x00\x00\x00" +
		"\x02\x01\x03\x00\x01\x00\x00\x00\x08\x00\x00\x00\x06\x01\x03\x00\x01\x00\x00\x00\x01\x00\x00\x00\x11\x01\x04\x00\x01\x00\x00\x00\x08\x00\x00\x00" +
		"\x15\x01\x03\x00\x01\x00\x00\x00\x01\x00\x00\x00\x16\x01\x03\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		sum, err := sumOf(t, data)
		if err == nil && len(sum) != 32 || err != nil && !errors.Is(err, ErrNone) {
			t.Fatalf("%q, %v", sum, err)
		}
	})
}
