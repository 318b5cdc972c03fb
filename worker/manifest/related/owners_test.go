package related

import (
	"slices"
	"strings"
	"testing"
)

// The owners are those that CVAT 2.73 finds
// (utils/dataset_manifest/utils.py, find_related_images).
func TestImageOwner(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"related_images/a_png/1.jpg": "a.png", "x/related_images/a_png/1.jpg": "x/a.png", "x/related_images/a_b_c.d_png/é.jpg": "x/a_b_c.d.png",
		"related_images/a/1.jpg": "", "related_images/1.jpg": "", "related_images/a_png/deep/1.jpg": "", "x/a_png/1.jpg": "", "a.jpg": "",
		"xrelated_images/a_png/1.jpg": "",
	} {
		owner, found := ImageOwner(name)
		if found != (want != "") || owner.Name != want || owner.Extension != "" {
			t.Errorf("%s belongs to %+v, %v; want %q", name, owner, found, want)
		}
	}
}

// The owners that a point cloud's image may have, the first one first.
func TestCloudOwners(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][]Owner{
		"a.png":                         {{Name: "a"}},
		"x/a.png":                       {{Name: "x/a"}, {Name: "x/x"}},
		"x/related_images/a_pcd/1.png":  {{Name: "x/related_images/a_pcd/1"}, {Name: "x/related_images/a_pcd/a_pcd"}, {"x/pointcloud/a", ".pcd"}},
		"related_images/a_bin/1.png":    {{Name: "related_images/a_bin/1"}, {Name: "related_images/a_bin/a_bin"}},
		"x/IMAGE_00/data/0001.png":      {{Name: "x/IMAGE_00/data/0001"}, {Name: "x/IMAGE_00/data/data"}, {"x/velodyne_points/data/0001", ".bin"}},
		"image_123 left/data/1.b.png":   {{Name: "image_123 left/data/1.b"}, {Name: "image_123 left/data/data"}, {"velodyne_points/data/1.b", ".bin"}},
		"x/image_00/data/deep/0001.png": {{Name: "x/image_00/data/deep/0001"}, {Name: "x/image_00/data/deep/deep"}},
		"x/my_image_00/data/0001.png":   {{Name: "x/my_image_00/data/0001"}, {Name: "x/my_image_00/data/data"}},
	} {
		if got := CloudOwners(name); !slices.Equal(got, want) {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

// What lies in the directory of an image belongs to it, unless the
// extension of the image has an underscore.
func FuzzOwners(f *testing.F) {
	f.Add("x/a_b.c.png", "1.jpg")
	f.Add("related_images/a_png/.b", "é")
	f.Fuzz(func(t *testing.T, name, file string) {
		_ = CloudOwners(name)
		_ = InDirectory(name)
		dot := strings.LastIndexByte(name, '.')
		isName := name != "" && file != "" && dot > strings.LastIndexByte(name, '/')+1 && !strings.Contains(name[dot:], "_")
		if !isName || strings.Contains(name, "//") || strings.Contains(name, "./") || strings.HasPrefix(name, "/") || strings.ContainsAny(file, "/") || file == "." || file == ".." {
			return
		}
		stem := name[strings.LastIndexByte(name, '/')+1 : dot]
		if strings.Trim(stem, ".") == "" || name[dot:] == "." {
			return
		}
		image := DirectoryOf(name) + file
		if owner, found := ImageOwner(image); !found || owner.Name != name || !InDirectory(image) {
			t.Fatalf("%q belongs to %q, %v; want %q", image, owner.Name, found, name)
		}
	})
}
