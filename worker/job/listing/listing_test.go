package listing_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/worker/job/listing"
)

func pack(objects []providers.Object) []byte {
	var p listing.Packer
	for _, o := range objects {
		p.Add(o)
	}
	return p.Pack()
}

func TestObjectsComeBack(t *testing.T) {
	t.Parallel()
	objects := []providers.Object{
		{Key: "a/1.jpg", Size: 5, ETag: "x"},
		{Key: "a/10.jpg"},
		{Key: "a", Size: 1 << 50, ETag: "0x8DC-1\x00"},
		{Key: "\xff（１）", Size: 3},
	}
	got, err := listing.Unpack(pack(objects))
	if err != nil || !slices.Equal(got, objects) {
		t.Errorf("%+v, %v", got, err)
	}
	if packed := pack(nil); packed != nil {
		t.Errorf("no objects are %d bytes", len(packed))
	}
}

// The room in Redis is what a job with many objects pays for.
func TestAnObjectTakesLessThan30Bytes(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	var objects []providers.Object
	for i := range 1000 {
		objects = append(objects, providers.Object{
			Key:  fmt.Sprintf("train/images/%06d/IMG_%07d.jpg", i/100, i*3),
			Size: 2_000_000 + rng.Int64N(4_000_000),
			ETag: fmt.Sprintf("%016x%016x", rng.Uint64(), rng.Uint64()),
		})
	}
	if n := len(pack(objects)); n > 30*len(objects) {
		t.Errorf("%d objects take %d bytes", len(objects), n)
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add([]byte("no frame"))
	f.Add(pack([]providers.Object{{Key: "a/1.jpg", Size: 5, ETag: "x"}, {Key: "a/2.jpg", Size: 6, ETag: "y"}}))
	f.Fuzz(func(t *testing.T, packed []byte) {
		objects, err := listing.Unpack(packed)
		if err != nil || objects == nil {
			return
		}
		again, err := listing.Unpack(pack(objects))
		if err != nil || !slices.Equal(again, objects) {
			t.Errorf("%+v, then %+v, %v", objects, again, err)
		}
	})
}

// Split gives what Join got, and takes any other bytes without a panic.
func FuzzSplit(f *testing.F) {
	f.Add([]byte("a"), []byte(""), []byte("\x01b"))
	f.Fuzz(func(t *testing.T, a, b, c []byte) {
		var x, y, z []byte
		if err := listing.Split(listing.Join(a, b, c), &x, &y, &z); err != nil || !slices.Equal(x, a) || !slices.Equal(y, b) || !slices.Equal(z, c) {
			t.Fatalf("%q, %q, %q: %q, %q, %q, %v", a, b, c, x, y, z, err)
		}
		if err := listing.Split(a, &x, &y, &z); err == nil && len(x)+len(y)+len(z) > len(a) {
			t.Fatalf("%q: %q, %q, %q", a, x, y, z)
		}
	})
}
