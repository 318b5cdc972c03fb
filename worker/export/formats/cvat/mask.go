package cvat

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/stevedore-jobs/stevedore/worker/export/annotation"
)

// readMask reads a mask. Its box may reach beyond the image, but
// cannot have more pixels than the image.
func readMask(f *fields, sh *annotation.Shape) {
	left, top := f.integer("left"), f.integer("top")
	width, height := f.integer("width"), f.integer("height")
	if most := f.image.Width * f.image.Height; width > 0 && height > int64(most)/width {
		f.failAs(annotation.CodeTooLarge, fmt.Sprintf(
			"a box of %dx%d pixels, more than the %d of its image", width, height, most))
		return
	}
	m, err := annotation.NewMask(int(left), int(top), int(width), int(height))
	if err == nil {
		err = decodeRuns(m, f.text("rle"))
	}
	if errors.Is(err, errTooManyRuns) {
		f.failAs(annotation.CodeTooLarge, err.Error())
	}
	if err != nil {
		f.fail(err.Error())
	}
	sh.Mask = m
}

var errTooManyRuns = fmt.Errorf("an rle of more than %d runs", annotation.MaxRuns)

// decodeRuns fills an empty mask from CVAT's run lengths, which cover
// its box row by row and begin with pixels that are off (CVAT-08).
// Their sum must be the number of pixels in the box.
func decodeRuns(m *annotation.Mask, rle string) error {
	runs := strings.Count(rle, ",") + 1
	if runs > annotation.MaxRuns {
		return errTooManyRuns
	}
	m.Spans = make([]annotation.Span, 0, runs/2)
	total := m.Width * m.Height
	at, on := 0, false
	for text := range strings.SplitSeq(rle, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || n < 0 {
			return fmt.Errorf("run %q in its rle", shorten(text))
		}
		if n > total-at {
			return errors.New("an rle of more pixels than width times height")
		}
		if on {
			m.Add(at, n)
		}
		at, on = at+n, !on
	}
	if at != total {
		return errors.New("an rle of fewer pixels than width times height")
	}
	return nil
}
