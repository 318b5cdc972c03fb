package memory

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"testing/iotest"
)

func TestContent(t *testing.T) {
	t.Parallel()
	whole := bytes.Repeat([]byte("0123456789"), 100_000)
	b := New(4 << 20)
	s, err := b.Claim(int64(len(whole)))
	if err != nil {
		t.Fatal(err)
	}
	var c Content
	if err := s.Grow(t.Context(), 10); err != nil {
		t.Fatal(err)
	}
	c.Add(whole[:10:10])
	if err := c.ReadFrom(t.Context(), s, iotest.HalfReader(bytes.NewReader(whole[10:])), int64(len(whole))); err != nil {
		t.Fatal(err)
	}
	if c.Size() != int64(len(whole)) || b.used != c.Size() {
		t.Errorf("%d bytes, and %d are paid for, want %d", c.Size(), b.used, len(whole))
	}
	for range 2 {
		got, err := io.ReadAll(c.Reader())
		if err != nil || !bytes.Equal(got, whole) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	}
	s.Shrink(100)
	if b.used != 100 || s.need() != 0 {
		t.Errorf("%+v", s)
	}
	s.Release()
	if b.used != 0 {
		t.Errorf("%d bytes are still used", b.used)
	}
}

func TestContent_Write(t *testing.T) {
	t.Parallel()
	var c Content
	var want bytes.Buffer
	for i := range 50 {
		p := bytes.Repeat([]byte{byte(i)}, i*i*i)
		if n, err := io.MultiWriter(&c, &want).Write(p); n != len(p) || err != nil {
			t.Fatal(n, err)
		}
	}
	got, err := io.ReadAll(c.Reader())
	if err != nil || !bytes.Equal(got, want.Bytes()) || !bytes.Equal(bytes.Join(c.Pieces(), nil), got) || c.Size() != int64(len(got)) {
		t.Errorf("%d of %d bytes, %v", len(got), want.Len(), err)
	}
}

// The share pays for bytes before they are read, and not for those that
// may come later.
func TestContent_OfASlowBody(t *testing.T) {
	t.Parallel()
	const size = 100 << 20
	b := New(200 << 20)
	s, err := b.Claim(size)
	if err != nil {
		t.Fatal(err)
	}
	body, feed := io.Pipe()
	broken := errors.New("broken")
	go func() {
		_, _ = feed.Write(make([]byte, maxPiece+1))
		_ = feed.CloseWithError(broken)
	}()
	var c Content
	if err := c.ReadFrom(t.Context(), s, body, size); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if c.Size() != maxPiece+1 || b.used != 2*maxPiece {
		t.Errorf("it has %d bytes and pays for %d", c.Size(), b.used)
	}
}

func TestContent_EndsEarlyOrWithItsContext(t *testing.T) {
	t.Parallel()
	b := New(4 << 20)
	s, _ := b.Claim(3 << 20)
	var c Content
	if err := c.ReadFrom(t.Context(), s, bytes.NewReader([]byte("abc")), 1<<20); err != nil || c.Size() != 3 {
		t.Errorf("%d bytes, %v", c.Size(), err)
	}
	full := New(1 << 20)
	other, _ := full.Claim(full.Largest())
	if err := other.Grow(t.Context(), full.Largest()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	waits, _ := full.Claim(full.Largest())
	if err := new(Content).ReadFrom(ctx, waits, bytes.NewReader(make([]byte, 1<<20)), 1<<20); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
