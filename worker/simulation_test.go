package worker_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"os"
	"path"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/providers/keyorder"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// simulation is a bucket that computes its objects from their numbers.
// Any number of processes see the same bucket, and a million objects
// take no memory. Most objects are images; some are broken images, some
// are texts.
type simulation struct {
	Objects int
	Read    time.Duration // how long a read takes
	Page    time.Duration // how long a page of a listing takes
	Killer  string        // reading this key kills the process; empty for no key

	// Order, if set, is that of the listings. The keys are then in
	// directories that each order sorts in another way.
	Order keyorder.Order
}

// pageSize is how many objects a page of a listing has.
const pageSize = 1000

// Open implements providers.Opener.
func (s simulation) Open(
	context.Context, tasks.Storage, providers.Secrets,
) (providers.Bucket, error) {
	b := simulated{simulation: s, order: max(s.Order, keyorder.Bytes), KnownOrder: &driver.KnownOrder{}}
	for d := range directories {
		b.listed = append(b.listed, d)
	}
	slices.SortFunc(b.listed, func(x, y int) int { return b.order.Compare(s.directory(x), s.directory(y)) })
	return b, nil
}

// directories is how many directories the objects are in.
const directories = 100

// key returns the key of an object. The keys, by code points, are in
// the order of the numbers.
func (s simulation) key(i int) string {
	return fmt.Sprintf("%s%07d.%s", s.directory(i*directories/max(s.Objects, 1)), i, extensionOf(i))
}

// directory returns what the keys in a directory start with.
func (s simulation) directory(d int) string {
	if s.Order == 0 {
		return fmt.Sprintf("2026-11/camera-%02d/", d)
	}
	starts := []string{"a-b/", "a.jpg/", "a/", "a/（２）/", "a/😀/", "a0", "（１）", "ﾊ/", "😀", "𠮷野/"}
	return fmt.Sprintf("%s%d-", starts[d*len(starts)/directories], d%10)
}

// first returns the number of the first object in a directory.
func (s simulation) first(d int) int { return (d*s.Objects + directories - 1) / directories }

func extensionOf(i int) string {
	switch {
	case i%50 == 7:
		return "txt"
	case i%3 == 0:
		return "png"
	}
	return "jpg"
}

// isBroken reports whether an object has the name of an image, but is
// not one.
func isBroken(i int) bool { return i%997 == 13 && extensionOf(i) != "txt" }

func contentOf(i int) []byte {
	mix := uint32(i) * 2654435761
	width, height := 320+mix>>20, 240+mix<<8>>21
	switch {
	case isBroken(i) || extensionOf(i) == "txt":
		return []byte("this is not an image")
	case extensionOf(i) == "png":
		return smallPNG(width, height)
	}
	return smallJPEG(width, height)
}

func smallPNG(width, height uint32) []byte {
	body := binary.BigEndian.AppendUint32([]byte("IHDR"), width)
	body = append(binary.BigEndian.AppendUint32(body, height), 8, 2, 0, 0, 0)
	out := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\r"), body...)
	out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(body))
	return append(out, "\x00\x00\x00\x00IDAT\x35\xaf\x06\x1e"...)
}

func smallJPEG(width, height uint32) []byte {
	return []byte{
		0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, byte(height >> 8), byte(height), byte(width >> 8), byte(width), 1, 1, 0x11, 0,
		0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0,
	}
}

// number returns the number of the object with a key.
func (s simulation) number(key string) (int, bool) {
	name := strings.TrimSuffix(key, path.Ext(key))
	i, err := strconv.Atoi(name[max(0, len(name)-7):])
	return i, err == nil && i < s.Objects && s.key(i) == key
}

// simulated is a connection to a simulation.
type simulated struct {
	simulation
	*driver.KnownOrder
	order  keyorder.Order
	listed []int // the directories, in the order of the listings
}

// at returns the number of the object that is listed at a place.
func (b simulated) at(place int) int {
	for _, d := range b.listed {
		first := b.first(d)
		n := b.first(d+1) - first
		if place < n {
			return first + place
		}
		place -= n
	}
	return -1
}

func (b simulated) object(i int) providers.Object {
	return providers.Object{
		Key:     b.key(i),
		Size:    int64(len(contentOf(i))),
		ETag:    strconv.Itoa(i),
		ModTime: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC),
	}
}

// List implements providers.Bucket.
func (b simulated) List(
	ctx context.Context, opts providers.ListOptions,
) iter.Seq2[providers.Object, error] {
	return func(yield func(providers.Object, error) bool) {
		from := sort.Search(b.Objects, func(place int) bool {
			key := b.key(b.at(place))
			return (opts.After == "" || b.order.Before(opts.After, key)) && !b.order.Before(key, opts.Prefix)
		})
		last := opts.After
		for place := from; place < b.Objects; place++ {
			if (place-from)%pageSize == 0 {
				if err := elapse(ctx, b.Page); err != nil {
					yield(providers.Object{}, providers.Failed("list", "simulated", "", err))
					return
				}
			}
			o := b.object(b.at(place))
			if !strings.HasPrefix(o.Key, opts.Prefix) || opts.Through != "" && b.order.Before(opts.Through, o.Key) {
				return
			}
			if last != "" {
				b.Learn(b.KeyOrder().Narrow(last, o.Key))
			}
			last = o.Key
			if !yield(o, nil) {
				return
			}
		}
	}
}

// elapse waits for a time, or until ctx ends.
func elapse(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Stat implements providers.Bucket.
func (b simulated) Stat(_ context.Context, key string) (providers.Object, error) {
	i, ok := b.number(key)
	if !ok {
		return providers.Object{}, &providers.Error{
			Op: "stat", Bucket: "simulated", Key: key, Kind: providers.NotFound,
		}
	}
	return b.object(i), nil
}

// Open implements providers.Bucket.
func (b simulated) Open(
	ctx context.Context, key string, opts providers.ReadOptions,
) (*providers.Reader, error) {
	o, err := b.Stat(ctx, key)
	if err != nil {
		return nil, err
	}
	if key == b.Killer {
		if self, err := os.FindProcess(os.Getpid()); err == nil {
			_ = self.Kill()
		}
		select {} // until the signal arrives
	}
	if err := elapse(ctx, b.Read); err != nil {
		return nil, providers.Failed("get", "simulated", key, err)
	}
	i, _ := b.number(key)
	data := contentOf(i)[min(opts.Offset, o.Size):]
	if opts.Length > 0 {
		data = data[:min(opts.Length, int64(len(data)))]
	}
	body := io.NopCloser(bytes.NewReader(data))
	return &providers.Reader{ReadCloser: body, Object: o}, nil
}

// Put implements providers.Bucket.
func (simulated) Put(
	context.Context, string, io.Reader, providers.WriteOptions,
) (providers.Object, error) {
	return providers.Object{}, &providers.Error{
		Op: "put", Bucket: "simulated", Kind: providers.Denied,
	}
}

// Delete implements providers.Bucket.
func (simulated) Delete(context.Context, string) error {
	return &providers.Error{Op: "delete", Bucket: "simulated", Kind: providers.Denied}
}

// Close implements providers.Bucket.
func (simulated) Close() error { return nil }
