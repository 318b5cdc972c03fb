// Package ffprobe finds the key frames of a video with the program
// ffprobe of FFmpeg, which the operator installs.
//
// The program gets the video through a pipe. It may open no file and no
// address, has no environment, and its memory and time are limited. What
// it prints is read as a stranger's. It knows no bucket and no job.
package ffprobe

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks/guard"
	"github.com/stevedore-jobs/stevedore/worker/steps"
)

// Program is an ffprobe. It is safe for concurrent use.
type Program struct {
	Path string
}

// Video is what a manifest says of a video.
type Video struct {
	Width, Height int // as displayed, in pixels
	Frames        int
	KeyFrames     []KeyFrame // in the order of their numbers
}

// KeyFrame is a frame that can be decoded without any other.
type KeyFrame struct {
	Number int   // of the frame, in the order in which frames are displayed, from 0
	PTS    int64 // its time, in units of the video's own
}

// Error says why a video gets no manifest. To try again does not help.
type Error struct {
	Code   string // for machines
	Detail string
	Fix    string
}

// Error implements error.
func (e *Error) Error() string { return e.Detail }

// The codes of Error.
const (
	CodeUnreadable = "unreadable-video" // ffprobe cannot read it
	CodeTooSlow    = "video-too-slow"   // it took too long
	CodeTooLarge   = "video-too-large"  // it has too many frames
	// CodeUnsuitable is of a video that CVAT refuses.
	CodeUnsuitable = "unsuitable-video"
)

const (
	// minTime and minRate bound how long ffprobe may take: so long, and
	// as long as it takes to read the video with so many bytes a second.
	minTime = 2 * time.Minute
	minRate = 2 << 20
	// maxMessage is how much of the program's messages is kept, in bytes.
	maxMessage = 1 << 10
	maxLine    = 64 << 10 // of its output, in bytes
	// maxMemory is the address space of the program, in bytes. It takes
	// far less memory.
	maxMemory = 2 << 30
	stopDelay = 5 * time.Second // before its pipes are closed by force
)

var arguments = []string{
	"-v", "error", "-protocol_whitelist", "pipe", "-i", "pipe:0",
	"-select_streams", "v:0", "-of", "compact=p=1:nk=0", "-show_entries",
	"packet=pts,dts,flags:stream=width,height:stream_tags=rotate:stream_side_data=rotation",
}

// Read reads a video of a size in bytes. If body fails, Read returns its
// error, and if ctx ends, the cause. Other errors are an *Error.
func (p Program) Read(ctx context.Context, body io.Reader, size int64) (Video, error) {
	limit := minTime + time.Duration(size/minRate)*time.Second
	inTime, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(inTime, p.Path, arguments...)
	cmd.Env, cmd.Dir, cmd.WaitDelay = []string{}, "/", stopDelay
	messages := &capped{left: maxMessage}
	cmd.Stderr = messages
	in, inErr := cmd.StdinPipe()
	out, outErr := cmd.StdoutPipe()
	if err := errors.Join(inErr, outErr); err != nil {
		return Video{}, err
	}
	if err := cmd.Start(); err != nil {
		return Video{}, fmt.Errorf("start ffprobe: %w", err)
	}
	from := &source{Reader: steps.Reader(inTime, body)}
	err := limitMemory(cmd.Process.Pid, maxMemory)
	fed := guard.Go(func() error {
		defer func() { _ = in.Close() }()
		if err == nil { // before that the program has nothing to work on
			_, _ = io.Copy(in, from) // it may end before the video does
		}
		return nil
	})
	var r reader
	readErr := r.read(inTime, out)
	if readErr != nil {
		cancel() // nothing reads its output any more
	}
	ended := cmd.Wait()
	fedErr := <-fed

	switch {
	case ctx.Err() != nil:
		return Video{}, context.Cause(ctx)
	case errors.Is(inTime.Err(), context.DeadlineExceeded):
		return Video{}, &Error{CodeTooSlow, fmt.Sprintf("ffprobe took more than %s", limit), ""}
	case from.err != nil:
		return Video{}, from.err
	case fedErr != nil || err != nil:
		return Video{}, errors.Join(fedErr, err)
	case readErr != nil:
		return Video{}, readErr
	case ended != nil:
		return Video{}, unreadable(messages.String(), ended)
	}
	return r.video(ctx)
}

func unreadable(message string, err error) error {
	e := &Error{CodeUnreadable, strings.TrimSpace(message), ""}
	if e.Detail == "" {
		e.Detail = err.Error()
	}
	if strings.Contains(message, "moov atom not found") || strings.Contains(message, "seek") {
		e.Fix = "Its index is at the end. Move it to the start: ffmpeg -i VIDEO -c copy " +
			"-movflags +faststart OUT.mp4"
	}
	return e
}

// source remembers the error of a reader.
type source struct {
	io.Reader
	err error
}

// Read implements io.Reader.
func (s *source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// capped keeps the start of what is written to it.
type capped struct {
	bytes.Buffer
	left int
}

// Write implements io.Writer. It never fails.
func (c *capped) Write(p []byte) (int, error) {
	n := min(c.left, len(p))
	c.left -= n
	_, _ = c.Buffer.Write(p[:n])
	return len(p), nil
}

// lines yields the lines of the program's output.
func lines(from io.Reader) *bufio.Scanner {
	s := bufio.NewScanner(from)
	s.Buffer(nil, maxLine)
	return s
}
