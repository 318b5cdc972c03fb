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
	if err := c.Append(t.Context(), s, whole[:10]); err != nil {
		t.Fatal(err)
	}
	if err := c.ReadFrom(t.Context(), s, iotest.HalfReader(bytes.NewReader(whole[10:])), int64(len(whole))); err != nil {
		t.Fatal(err)
	}
	if c.Size() != int64(len(whole)) || b.used != c.Size() {
		t.Errorf("%d bytes, and %d are paid for, want %d", c.Size(), b.used, len(whole))
	}
	for range 2 {
		got, err := io.ReadAll(c.Reader(func() error { return nil }))
		if err != nil || !bytes.Equal(got, whole) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	}
	ended := errors.New("ended")
	if _, err := io.ReadAll(c.Reader(func() error { return ended })); !errors.Is(err, ended) {
		t.Errorf("got %v", err)
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
