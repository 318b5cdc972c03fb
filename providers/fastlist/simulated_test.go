package fastlist_test

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/keyorder"
)

// simulated is a store that needs some time for every page of a
// listing.
type simulated struct {
	providers.Bucket
	keys    []string       // in order
	order   keyorder.Order // 0 for the order of bytes
	page    int
	latency func() time.Duration // nil for none

	ignoresAfter   bool                            // the server starts at the beginning, and the provider skips
	knowsDirect    bool                            // the provider refuses Direct if the server ignores After
	ignoresThrough bool                            // the provider does not know Through
	fail           func(after, first string) error // of a page, by the listing's start and the page's first key

	mu     sync.Mutex
	before func() // called before each page; may replace keys

	lists, running, most, yielded atomic.Int64
}

func (s *simulated) List(ctx context.Context, opts providers.ListOptions) iter.Seq2[providers.Object, error] {
	return func(yield func(providers.Object, error) bool) {
		at := s.start(opts)
		for {
			page, more := s.next(at)
			if err := s.request(ctx, opts, page); err != nil {
				yield(providers.Object{}, err)
				return
			}
			for _, key := range page {
				if !strings.HasPrefix(key, opts.Prefix) || !s.ignoresThrough && opts.Through != "" && s.order.Compare(key, opts.Through) > 0 {
					return
				}
				tooEarly := opts.After != "" && s.order.Compare(key, opts.After) <= 0
				if tooEarly && opts.Direct && s.knowsDirect {
					yield(providers.Object{}, &providers.Error{Op: "list", Bucket: "sim", Kind: providers.Invalid})
					return
				}
				if tooEarly && (!opts.Direct || !s.ignoresThrough) {
					continue
				}
				s.yielded.Add(1)
				if !yield(providers.Object{Key: key, Size: int64(len(key))}, nil) {
					return
				}
			}
			if !more {
				return
			}
			at = position{page[len(page)-1], true}
		}
	}
}

// position is where a page starts.
type position struct {
	key    string
	behind bool // the key is not on the page
}

func (s *simulated) start(opts providers.ListOptions) position {
	if !s.ignoresAfter && s.order.First().Before(opts.Prefix, opts.After) {
		return position{opts.After, true}
	}
	return position{opts.Prefix, false}
}

func (s *simulated) next(from position) (page []string, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.before != nil {
		s.before()
	}
	at, found := slices.BinarySearchFunc(s.keys, from.key, s.order.Compare)
	if found && from.behind {
		at++
	}
	end := min(at+s.page, len(s.keys))
	return s.keys[at:end], end < len(s.keys)
}

// request waits as long as a page takes.
func (s *simulated) request(ctx context.Context, opts providers.ListOptions, page []string) error {
	s.lists.Add(1)
	now := s.running.Add(1)
	defer s.running.Add(-1)
	for most := s.most.Load(); now > most && !s.most.CompareAndSwap(most, now); most = s.most.Load() {
	}
	if s.latency != nil {
		timer := time.NewTimer(s.latency())
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	if err := ctx.Err(); err != nil {
		return providers.Failed("list", "sim", "", err)
	}
	if s.fail != nil && len(page) > 0 {
		return s.fail(opts.After, page[0])
	}
	return nil
}

// shape is a way to name objects.
type shape struct {
	name string
	make func(n int) []string // sorted
}

func shapes() []shape {
	each := func(name string, key func(i, n int) string) shape {
		return shape{name, func(n int) []string {
			keys := make([]string, n)
			for i := range keys {
				keys[i] = key(i, n)
			}
			slices.Sort(keys)
			return slices.Compact(keys)
		}}
	}
	r := func(i int) *rand.Rand { return rand.New(rand.NewPCG(uint64(i), 7)) }
	day := func(i int) string {
		return time.Date(2024, 1, 1+i, 0, 0, 0, 0, time.UTC).Format("2006/01/02/")
	}
	uuid := func(i int) string {
		x := r(i)
		a, b := x.Uint64(), x.Uint64()
		return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x.jpg", a>>32, a>>16&0xffff, a&0xffff, b>>48, b&0xffffffffffff)
	}
	cities := strings.Fields("berlin boston cairo delhi lagos lima madrid oslo paris quito rome seoul tokyo vienna")
	return []shape{
		each("Counter", func(i, _ int) string { return fmt.Sprintf("img_%08d.jpg", i) }),
		each("UnpaddedCounter", func(i, _ int) string { return fmt.Sprintf("img_%d.jpg", i) }),
		each("DeepCounter", func(i, _ int) string {
			return fmt.Sprintf("customers/acme/projects/road-signs/2024/raw/camera-front/frame_%010d.png", i)
		}),
		each("Dated", func(i, n int) string { return day(i*365/n) + fmt.Sprintf("img_%05d.jpg", i) }),
		each("TwentyPageDirs", func(i, _ int) string { return fmt.Sprintf("batch-%03d/img_%06d.jpg", i/20000, i%20000) }),
		each("UUID", func(i, _ int) string { return uuid(i) }),
		each("UUIDDirs", func(i, _ int) string { return fmt.Sprintf("p%d/train/images/%s", i%7, uuid(i)) }),
		each("Skewed", func(i, n int) string {
			if i < n/20 {
				return fmt.Sprintf("dir-%02d/img_%07d.jpg", i%50, i)
			}
			return fmt.Sprintf("dir-%02d/img_%07d.jpg", 25, i)
		}),
		each("UnixMillis", func(i, _ int) string { return fmt.Sprintf("%d.jpg", 1700000000000+int64(i)*997+r(i).Int64N(900)) }),
		each("Classes", func(i, _ int) string {
			return fmt.Sprintf("imagenet/train/n%08d/n%08[1]d_%d.JPEG", 1440764+(i/1300)*9173, i)
		}),
		each("SmallDirs", func(i, _ int) string {
			x := r(i / 20)
			return fmt.Sprintf("scenes/%s-%04d/camera_%02d.jpg", cities[x.IntN(len(cities))], i/20%10000, i%20)
		}),
		each("Words", func(i, _ int) string {
			x, words := r(i), strings.Fields("apple Banana car dog elephant forest garden house igloo jacket kite lemon")
			return fmt.Sprintf("%s/%s-%s-%d.jpg", words[x.IntN(12)], words[x.IntN(12)], words[x.IntN(12)], i)
		}),
	}
}
