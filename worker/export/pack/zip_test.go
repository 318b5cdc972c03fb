package pack

import (
	"archive/zip"
	"bytes"
	"io"
	"strings"
	"testing"
)

func made(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	z := NewZip(&out)
	w, err := z.Create("a.json")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, strings.Repeat("text", 1000)); err != nil {
		t.Fatal(err)
	}
	if err := z.Store("b.jpg", []byte("whole")); err != nil {
		t.Fatal(err)
	}
	if err := z.StoreFrom("ü.png", strings.NewReader("stream")); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestZip(t *testing.T) {
	t.Parallel()
	data := made(t)
	if !bytes.Equal(data, made(t)) {
		t.Error("the same files give other bytes")
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		name, content string
		method        uint16
	}{{"a.json", strings.Repeat("text", 1000), zip.Deflate}, {"b.jpg", "whole", zip.Store}, {"ü.png", "stream", zip.Store}}
	if len(z.File) != len(want) {
		t.Fatalf("%d files", len(z.File))
	}
	for i, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil || f.Name != want[i].name || string(content) != want[i].content || f.Method != want[i].method {
			t.Errorf("%s: %q, method %d, %v", f.Name, content, f.Method, err)
		}
		if f.Flags&0x800 == 0 || f.Modified.Year() != 1980 || f.Mode().Perm() != 0o644 {
			t.Errorf("%s: flags %x, time %v, mode %v", f.Name, f.Flags, f.Modified, f.Mode())
		}
	}
}

// The size of a stored file comes before its content, and not after
// it.
func TestZip_StoreCanBeStreamed(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	z := NewZip(&out)
	if err := z.Store("a", []byte("12345")); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	head := out.Bytes()
	if flags, size := head[6], head[22]; flags&8 != 0 || size != 5 {
		t.Errorf("flags %x, size %d in the local header", flags, size)
	}
}
