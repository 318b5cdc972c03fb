// Package pointcloud reads how many points a point cloud has, from its
// first bytes or its size.
package pointcloud

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/stevedore-jobs/stevedore/worker/imagehead"
)

const (
	// MaxHeader is how many bytes of a PCD file are read at most to find
	// its header.
	MaxHeader = 64 << 10
	// FirstRead is how many bytes a header usually has at most.
	FirstRead = 1 << 10

	pointSize = 16 // x, y, z and intensity, each a float of 4 bytes
)

// ByName reports whether an object is a point cloud by the extension of
// its name.
func ByName(key string) bool {
	extension := strings.ToLower(imagehead.Extension(key))
	return extension == ".pcd" || extension == ".bin"
}

// PCDSize returns the width and the height that the header of a PCD file
// names. whole says that start is all of the file. more says that the
// header goes on behind start. The header is lines of text up to the one
// with DATA (The PCD file format, version .7; CVAT 2.73,
// utils/dataset_manifest/core.py).
func PCDSize(start []byte, whole bool) (width, height int, more bool, err error) {
	for line := range bytes.Lines(start) {
		text, isLine := strings.CutSuffix(string(line), "\n")
		if !isLine && !whole {
			return 0, 0, true, nil
		}
		name, value, _ := strings.Cut(strings.TrimSpace(text), " ")
		value = strings.TrimSpace(value)
		switch name {
		case "VERSION":
			if !isVersion(value) {
				return 0, 0, false, fmt.Errorf("the PCD file has the unknown version %.20q", value)
			}
		case "WIDTH":
			width, err = strconv.Atoi(value)
		case "HEIGHT":
			height, err = strconv.Atoi(value)
		case "DATA":
			if width < 1 || height < 1 {
				return 0, 0, false, fmt.Errorf("the PCD file says %d x %d points", width, height)
			}
			return width, height, false, nil
		}
		if err != nil {
			return 0, 0, false, fmt.Errorf("the PCD file has the line %.40q", text)
		}
	}
	if whole {
		return 0, 0, false, fmt.Errorf("the PCD file has no line DATA in its header")
	}
	return 0, 0, true, nil
}

// isVersion reports whether CVAT knows a version: .1 to .7.
func isVersion(v string) bool {
	v = strings.TrimPrefix(v, "0")
	return len(v) == 2 && v[0] == '.' && '1' <= v[1] && v[1] <= '7'
}

// VelodyneSize returns how many points a Velodyne scan of a size in
// bytes has.
func VelodyneSize(size int64) (points int, err error) {
	if size == 0 || size%pointSize != 0 {
		return 0, fmt.Errorf("a Velodyne scan has %d bytes a point, and the file has %d bytes",
			pointSize, size)
	}
	return int(size / pointSize), nil
}
