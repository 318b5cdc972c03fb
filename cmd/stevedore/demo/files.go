package demo

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"image/jpeg"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/demo/dataset"
)

// checkFiles opens the files that the jobs have written.
func checkFiles(dir string) error {
	facts := dataset.Count()
	z, err := zip.OpenReader(filepath.Join(dir, filepath.FromSlash(exportKey)))
	if err != nil {
		return err
	}
	defer func() { _ = z.Close() }()
	lines, err := os.ReadFile(filepath.Join(dir, "scenes", "manifest.jsonl"))
	if err != nil {
		return err
	}
	thumbnails, err := decodeAll(filepath.Join(dir, "scenes", ".stevedore", "thumbnails"))
	if n := bytes.Count(lines, []byte("\n")); n != facts.Images+2 {
		wrong := fmt.Errorf("manifest.jsonl has %d lines, not %d", n, facts.Images+2)
		err = errors.Join(err, wrong)
	}
	if thumbnails != facts.Images {
		wrong := fmt.Errorf("there are %d thumbnails, not %d", thumbnails, facts.Images)
		err = errors.Join(err, wrong)
	}
	return err
}

// decodeAll decodes and counts the JPEG files below a directory.
func decodeAll(dir string) (n int, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".jpg") {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		n++
		_, err = jpeg.Decode(bytes.NewReader(data))
		return err
	})
	return n, err
}
