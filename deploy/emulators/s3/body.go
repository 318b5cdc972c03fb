package s3

import (
	"io"
	"time"
)

const maxSlowPiece = 1024 // bytes that SlowBody sends at a time

// damagedBody is the body of an answer that is slow or ends early.
type damagedBody struct {
	io.ReadCloser
	fault      *fault
	intact     int64 // bytes left before the fault happens
	clientGone <-chan struct{}
}

// Read implements io.Reader.
func (b *damagedBody) Read(p []byte) (int, error) {
	if b.intact > 0 {
		n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.intact)])
		b.intact -= int64(n)
		return n, err
	}
	if b.fault.Name == "CutBody" {
		return 0, io.ErrUnexpectedEOF // the proxy closes the connection
	}

	pause := time.NewTimer(b.fault.Pause)
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-b.clientGone:
		return 0, io.ErrUnexpectedEOF
	}
	return b.ReadCloser.Read(p[:min(len(p), maxSlowPiece)])
}
