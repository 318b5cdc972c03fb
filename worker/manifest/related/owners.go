// Package related finds out which images are context images of an image
// or of a point cloud, and joins them with its entry. The rules are those
// of CVAT 2.73 (utils/dataset_manifest/core.py and utils.py).
//
// It knows names and lines, and no bucket.
package related

import (
	"path"
	"regexp"
	"strings"

	"github.com/stevedore-jobs/stevedore/worker/imagehead"
)

// directory is the name of the directories that hold context images.
const directory = "related_images"

// Owner is what an image may be a context image of: an image by its
// name, or a point cloud by its name without the extension.
type Owner struct {
	Name string `json:"name"`
	// Extension is the one that the point cloud must have; empty if any.
	Extension string `json:"extension,omitempty"`
}

// InDirectory reports whether a name has a directory for context images
// in it. Nothing there is an entry of its own.
func InDirectory(name string) bool {
	return strings.HasPrefix(name, directory+"/") || strings.Contains(name, "/"+directory+"/")
}

// ImageOwner returns the image that an image in a directory for context
// images belongs to: DIR/related_images/NAME_EXT/FILE belongs to
// DIR/NAME.EXT.
func ImageOwner(name string) (o Owner, found bool) {
	dir, owner, found := split(name)
	at := strings.LastIndexByte(owner, '_')
	if !found || at < 0 {
		return Owner{}, false
	}
	return Owner{Name: dir + owner[:at] + "." + owner[at+1:]}, true
}

// DirectoryOf returns the directory of the context images of an image,
// with a slash at its end. See ImageOwner.
func DirectoryOf(name string) string {
	extension := imagehead.Extension(name)
	dir, base := path.Split(strings.TrimSuffix(name, extension))
	return dir + directory + "/" + base + "_" + strings.TrimPrefix(extension, ".") + "/"
}

// split splits DIR/related_images/OWNER/FILE into DIR/ and OWNER.
func split(name string) (dir, owner string, found bool) {
	parent := path.Dir(name)
	above := path.Dir(parent)
	if path.Base(above) != directory {
		return "", "", false
	}
	return strings.TrimSuffix(above, directory), path.Base(parent), true
}

// kittiImages is the directory of the images of a camera.
var kittiImages = regexp.MustCompile(`(?i)^(.*/)?image_\d+[^/]*/data/[^/]+$`)

// CloudOwners returns the point clouds that an image may belong to. The
// first one that exists counts:
//
//  1. DIR/NAME.pcd with DIR/NAME.png
//  2. DIR/NAME/NAME.pcd with DIR/NAME/ANY.png
//  3. DIR/pointcloud/NAME.pcd with DIR/related_images/NAME_pcd/ANY.png
//  4. DIR/velodyne_points/data/NAME.bin with DIR/IMAGE_00/data/NAME.png
func CloudOwners(name string) []Owner {
	stem := strings.TrimSuffix(name, imagehead.Extension(name))
	owners := []Owner{{Name: stem}}
	if dir := path.Dir(name); dir != "." {
		owners = append(owners, Owner{Name: dir + "/" + path.Base(dir)})
	}
	if dir, owner, found := split(name); found {
		if of, isCloud := strings.CutSuffix(owner, "_pcd"); isCloud {
			owners = append(owners, Owner{dir + "pointcloud/" + of, ".pcd"})
		}
	}
	if match := kittiImages.FindStringSubmatch(name); match != nil {
		owners = append(owners, Owner{match[1] + "velodyne_points/data/" + path.Base(stem), ".bin"})
	}
	return owners
}
