package pointcloud

import (
	"strings"
	"testing"
)

// A header is found however little of it is read first, and in any
// order.
func TestPCDSize(t *testing.T) {
	t.Parallel()
	const text = "# .PCD v0.7\r\nVERSION 0.7\r\nHEIGHT 3\r\nWIDTH 213\r\nPOINTS 639\r\nDATA binary\r\n\x00\x01"
	end := strings.Index(text, "binary") + len("binary\r\n")
	for n := range len(text) + 1 {
		width, height, more, err := PCDSize([]byte(text[:n]), false)
		if err != nil || more != (n < end) || !more && (width != 213 || height != 3) {
			t.Errorf("%d bytes: %d x %d, more: %v, %v", n, width, height, more, err)
		}
	}
	for _, broken := range []string{
		"", "x", "WIDTH 1\nHEIGHT 1\n", "DATA ascii\n", "WIDTH -1\nHEIGHT 1\nDATA ascii\n", "VERSION 0.8\n", "VERSION 1.7\n", "WIDTH 1e3\n",
	} {
		if _, _, _, err := PCDSize([]byte(broken), true); err == nil {
			t.Errorf("%q has a size", broken)
		}
	}
}

func TestVelodyneSize(t *testing.T) {
	t.Parallel()
	if n, err := VelodyneSize(7 * 16); n != 7 || err != nil {
		t.Error(n, err)
	}
	for _, size := range []int64{0, 15, 17} {
		if _, err := VelodyneSize(size); err == nil {
			t.Errorf("%d bytes are a scan", size)
		}
	}
}

func FuzzPCDSize(f *testing.F) {
	f.Add([]byte("VERSION .7\nWIDTH 1\nHEIGHT 1\nDATA ascii\n"), true)
	f.Fuzz(func(t *testing.T, start []byte, whole bool) {
		width, height, more, err := PCDSize(start, whole)
		if whole && more || err == nil && !more && (width < 1 || height < 1) {
			t.Fatalf("%d x %d, more: %v", width, height, more)
		}
	})
}
