//go:build !race

package thumbnail

const raceDetector = false
