package entry_test

import (
	"testing"

	"github.com/stevedore-jobs/stevedore/worker/manifest/entry"
)

// The extra keys come last, also behind context images, and come back.
func TestWithExtra(t *testing.T) {
	t.Parallel()
	x := entry.Extra{ETag: `"é`, Size: 1 << 40, Type: "jpeg", Unopenable: true}
	const extra = `,"etag":"\"\u00e9","size":1099511627776,"type":"jpeg","unopenable":true}` + "\n"
	image := string(entry.WithExtra(entry.Image(`a,"etag":.png`, 3, 2), x))
	if want := `{"name":"a,\"etag\":","extension":".png","width":3,"height":2` + extra; image != want {
		t.Errorf("%s, want %s", image, want)
	}
	scan := string(entry.WithExtra(entry.PointCloud("s.bin", 3, 1), x))
	const related = `,"meta":{"related_images":["r.jpg"]`
	for text, want := range map[string]string{
		image: `{"name":"a,\"etag\":","extension":".png","width":3,"height":2` + related + "}" + extra,
		scan:  `{"name":"s","extension":".pcd","width":3,"height":1` + related + `,"original_name":"s.bin"}` + extra,
	} {
		got := entry.WithRelated([]byte(text), []string{"r.jpg"})
		if string(got) != want {
			t.Errorf("%s, want %s", got, want)
		}
		e, err := entry.Parse(got)
		if err != nil || e.Width != 3 || e.Extra != x || e.Name != `a,"etag":.png` && e.Name != "s.bin" {
			t.Errorf("%+v, %v", e, err)
		}
	}
	if plain := entry.Image("a.png", 3, 2); string(entry.WithExtra(plain, entry.Extra{Size: 3})) != string(plain) {
		t.Error("an object without an ETag")
	}
}
