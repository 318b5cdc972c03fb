package main

import (
	"archive/zip"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
)

// drawPhotos makes the bucket "photos": a zip file with twelve images
// and a text.
func drawPhotos(dir string) error {
	f, err := os.Create(filepath.Join(dir, "photos.zip"))
	if err != nil {
		return err
	}
	z := zip.NewWriter(f)
	return errors.Join(addPhotos(z), z.Close(), f.Close())
}

func addPhotos(z *zip.Writer) error {
	for i := range 12 {
		w, err := z.Create(fmt.Sprintf("2026/%02d.png", i+1))
		if err != nil {
			return err
		}
		if err := png.Encode(w, image.NewGray(image.Rect(0, 0, 64, 48))); err != nil {
			return err
		}
	}
	w, err := z.Create("README.txt")
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, "An image a month.\n")
	return err
}
