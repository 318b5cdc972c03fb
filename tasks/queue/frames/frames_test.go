package frames_test

import (
	"slices"
	"testing"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/frames"
)

func TestJoinedFramesUnpackToJoinedData(t *testing.T) {
	t.Parallel()
	c := frames.New()
	var packed []byte
	for _, data := range []string{"one ", "", "two"} {
		packed = append(packed, c.Pack([]byte(data))...)
	}
	got, err := c.Unpack(packed)
	if err != nil || string(got) != "one two" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := c.Unpack([]byte("no frame")); err == nil {
		t.Error("a text that is no frame was unpacked")
	}
}

func TestErrorListsComeBack(t *testing.T) {
	t.Parallel()
	c := frames.New()
	first := []tasks.ObjectError{{Key: "a\n", Code: "x", Message: "ä"}}
	second := []tasks.ObjectError{{Key: "b"}, {Key: "c"}}
	packed := append(c.PackErrors(first), c.PackErrors(second)...)
	got, err := c.UnpackErrors(packed)
	if err != nil || !slices.Equal(got, slices.Concat(first, second)) {
		t.Errorf("%v, %v", got, err)
	}
	if packed := c.PackErrors(nil); packed != nil {
		t.Errorf("an empty list is %d bytes", len(packed))
	}
}
