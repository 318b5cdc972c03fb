package icons

import (
	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/small"
)

// bitmap reads the head of the bitmap of an icon, whose header stands
// at an offset. The height in the header counts a mask of equal size
// too (Microsoft, "Icons", ICONIMAGE).
func bitmap(s *head.Source, t head.Type, off int64) (head.Head, error) {
	h, err := small.DIB(s, off, t)
	if err != nil {
		return head.Head{}, head.Cut(t, err)
	}
	upright, err := head.Upright(t, int64(h.Width), int64(h.Height/2), h.Layout)
	upright.Refusal = h.Refusal
	return upright, err
}
