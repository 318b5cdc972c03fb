//go:build race

package thumbnail

// The race detector keeps the compiler from growing buffers in place:
// they are allocated twice.
const raceDetector = true
