//go:build !linux

package ffprobe

import "errors"

// limitMemory fails: only Linux can limit the memory of another process.
func limitMemory(int, uint64) error {
	return errors.New("ffprobe runs on Linux only, where its memory can be limited")
}
