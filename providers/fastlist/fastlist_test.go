package fastlist_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/fastlist"
	"github.com/stevedore-jobs/stevedore/providers/keyorder"
	"github.com/stevedore-jobs/stevedore/providers/mem/memtest"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/guard"
)

func millis(n int64) func() time.Duration {
	return func() time.Duration { return time.Duration(1+rand.Int64N(n)) * time.Millisecond }
}

func wantList(t *testing.T, b providers.Bucket, opts providers.ListOptions, want []string) {
	t.Helper()
	got, err := providertest.Keys(t.Context(), b, opts)
	if err != nil {
		t.Errorf("%+v: %v", opts, err)
	}
	if slices.Equal(got, want) {
		return
	}
	at := 0
	for at < len(got) && at < len(want) && got[at] == want[at] {
		at++
	}
	t.Errorf("%+v: %d keys, want %d; they differ at %d", opts, len(got), len(want), at)
}

// oddShapes returns keys that nobody should use, and some people do.
func oddShapes() []shape {
	sorted := func(name string, key func(i int) string) shape {
		return shape{name, func(n int) []string {
			keys := make([]string, n)
			for i := range keys {
				keys[i] = key(i)
			}
			slices.Sort(keys)
			return slices.Compact(keys)
		}}
	}
	long := strings.Repeat("very/long/prefix-", 58)
	return []shape{
		sorted("Unicode", func(i int) string { return fmt.Sprintf("写真/%c%c/é%04d.jpg", 0x4e00+i*7%0x5000, 0x1f600+i%64, i) }),
		sorted("AnyBytes", func(i int) string {
			return fmt.Sprintf("\xff%c\xfe%s\x01%d", byte(i), string([]byte{byte(i * 7), byte(i * 31)}), i)
		}),
		sorted("LongPrefix", func(i int) string { return fmt.Sprintf("%s%06d", long, i*i) }),
		sorted("EachOther'sPrefix", func(i int) string { return strings.Repeat("a", i%1000+1) + strings.Repeat("b", i/1000) }),
		sorted("Hex", func(i int) string { return fmt.Sprintf("%x/%X", i*2654435761%65521, i) }),
	}
}

func TestList_YieldsEachKeyOnceInOrder(t *testing.T) {
	t.Parallel()
	for _, shape := range append(shapes(), oddShapes()...) {
		t.Run(shape.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				for _, n := range []int{0, 1, 999, 1000, 3000, 3001, 4000, 12_000} {
					for _, page := range []int{1000, 5000} {
						keys := shape.make(n)
						s := &simulated{keys: keys, page: page, latency: millis(100)}
						wantList(t, fastlist.WithParallelListing(s, 16), providers.ListOptions{}, keys)
						if s.most.Load() > 16 || n < 3000 && s.most.Load() > 1 {
							t.Errorf("%d objects: %d requests at once", n, s.most.Load())
						}
					}
				}
			})
		})
	}
}

// With any keys, any bounds, and a store that fails now and then or
// ignores options, the listing returns exactly the objects that exist.
func TestList_AnyListing(t *testing.T) {
	t.Parallel()
	for seed := range uint64(32) {
		order := keyorder.Unknown.Each()[seed%4]
		t.Run(fmt.Sprintf("%s/%d", order, seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 1))
			keys := randomKeys(r)
			slices.SortFunc(keys, order.Compare)
			synctest.Test(t, func(t *testing.T) {
				for range 4 {
					s := &simulated{
						keys: keys, order: order, page: 100 + r.IntN(1500), latency: millis(1 + r.Int64N(200)),
						ignoresAfter: r.IntN(4) == 0, ignoresThrough: r.IntN(2) == 0,
					}
					if odds := r.IntN(60); odds > 0 {
						s.fail = func(after, _ string) error {
							if after != "" && rand.IntN(odds) == 0 {
								return &providers.Error{Op: "list", Kind: providers.Throttled}
							}
							return nil
						}
					}
					opts := randomOptions(r, keys)
					got, err := providertest.Keys(t.Context(), fastlist.WithParallelListing(s, 2+r.IntN(30)), opts)
					want := wanted(order, keys, opts)
					if s.ignoresThrough { // a few keys too many, if it is not clear that they are
						got = wanted(order, got, opts)
					}
					if err == nil && !slices.Equal(got, want) || err != nil && (s.fail == nil || !slices.Equal(got, want[:len(got)])) {
						t.Errorf("%+v of %d keys: %d, want %d; %v", opts, len(keys), len(got), len(want), err)
					}
				}
			})
		})
	}
}

func randomKeys(r *rand.Rand) []string {
	letters := []string{"01", "0123456789", "abcdefghijklmnopqrstuvwxyz", "aé日\U0001F600", "\x00\x7f\xff"}[r.IntN(5)]
	parts := []string{"/", "", "-img_", strings.Repeat("x", r.IntN(300)), "😀", "（１）", ".jpg", "/", " "}
	keys := make([]string, r.IntN(25_000))
	for i := range keys {
		var key strings.Builder
		for range 4 + r.IntN(5) {
			for range 1 + r.IntN(4) {
				key.WriteByte(letters[r.IntN(len(letters))])
			}
			key.WriteString(parts[r.IntN(1+r.IntN(len(parts)))])
		}
		keys[i] = key.String()
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

func randomOptions(r *rand.Rand, keys []string) (opts providers.ListOptions) {
	some := func() string {
		if len(keys) == 0 || r.IntN(3) > 0 {
			return ""
		}
		key := keys[r.IntN(len(keys))]
		return key[:min(len(key), 1+r.IntN(len(key)))]
	}
	opts = providers.ListOptions{Prefix: some(), After: some(), Through: some()}
	opts.Prefix = opts.Prefix[:min(len(opts.Prefix), 1)]
	return opts
}

// If the store refuses to start at a key, or always starts at the
// beginning, one stream lists everything.
func TestList_FallsBackToOneStream(t *testing.T) {
	t.Parallel()
	keys := shapes()[0].make(40_000)
	denied := &providers.Error{Op: "list", Bucket: "sim", Kind: providers.Denied}
	for name, s := range map[string]*simulated{
		"StartDenied": {fail: func(after, _ string) error {
			if after != "" {
				return denied
			}
			return nil
		}},
		"StartIgnored": {ignoresAfter: true, knowsDirect: true},
		"BothIgnored":  {ignoresAfter: true, ignoresThrough: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s.keys, s.page, s.latency = keys, 1000, millis(100)
				wantList(t, fastlist.WithParallelListing(s, 16), providers.ListOptions{}, keys)
				if n := s.lists.Load(); n > 40+3+2*16 {
					t.Errorf("%d requests", n)
				}
			})
		})
	}
}

// Keys that are not in order are returned as they come.
func TestList_UnorderedStore(t *testing.T) {
	t.Parallel()
	keys := shapes()[0].make(10_000)
	slices.Reverse(keys)
	wantList(t, fastlist.WithParallelListing(&simulated{keys: keys, page: len(keys)}, 16), providers.ListOptions{}, keys)
}

// An error of the store is returned once, after all objects before it.
func TestList_ErrorInTheMiddle(t *testing.T) {
	t.Parallel()
	keys := shapes()[0].make(60_000)
	synctest.Test(t, func(t *testing.T) {
		s := &simulated{keys: keys, page: 1000, latency: millis(100)}
		s.fail = func(_, first string) error {
			if first >= keys[31_000] {
				return &providers.Error{Op: "list", Bucket: "sim", Kind: providers.Unavailable, Code: "Broken"}
			}
			return nil
		}
		n, errs := 0, 0
		for o, err := range fastlist.WithParallelListing(s, 16).List(t.Context(), providers.ListOptions{}) {
			var e *providers.Error
			switch {
			case errors.As(err, &e) && e.Code == "Broken":
				errs++
			case err != nil || errs > 0 || o.Key != keys[n]:
				t.Fatalf("object %d: %v, %v", n, o, err)
			default:
				n++
			}
		}
		if errs != 1 || n < 30_000 || n > 31_999 {
			t.Errorf("%d objects and %d errors", n, errs)
		}
	})
}

func TestList_BreakEndsTheRequests(t *testing.T) {
	t.Parallel()
	for _, at := range []int{1, 1000, 3000, 3001, 7000, 25_000} {
		synctest.Test(t, func(t *testing.T) { // it fails if a goroutine is left
			s := &simulated{keys: shapes()[0].make(60_000), page: 1000, latency: millis(100)}
			n := 0
			for _, err := range fastlist.WithParallelListing(s, 16).List(t.Context(), providers.ListOptions{}) {
				if n++; n == at || err != nil {
					break
				}
			}
			lists := s.lists.Load()
			if s.running.Load() != 0 || at <= 3000 && lists > int64(at+999)/1000 {
				t.Errorf("after %d objects %d requests run and %d were made", at, s.running.Load(), lists)
			}
			time.Sleep(time.Minute) //nolint:forbidigo // the clock is synctest's; a late request would be made meanwhile
			if s.lists.Load() != lists {
				t.Errorf("%d requests more", s.lists.Load()-lists)
			}
		})
	}
}

func TestList_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	for _, after := range []time.Duration{10 * time.Millisecond, 350 * time.Millisecond, 600 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			s := &simulated{keys: shapes()[0].make(200_000), page: 1000, latency: millis(100)}
			ctx, cancel := context.WithTimeout(t.Context(), after)
			defer cancel()
			errs := 0
			for _, err := range fastlist.WithParallelListing(s, 16).List(ctx, providers.ListOptions{}) {
				if err == nil {
					continue
				}
				if errs++; !providers.IsContext(ctx, err) {
					t.Errorf("got %v", err)
				}
			}
			if errs != 1 || s.running.Load() != 0 {
				t.Errorf("%d errors, %d requests run", errs, s.running.Load())
			}
		})
	}
}

// What waits for a slow loop is bounded, for every shape of keys.
func TestList_BufferIsBounded(t *testing.T) {
	t.Parallel()
	const streams = 4
	for _, shape := range shapes() {
		t.Run(shape.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &simulated{keys: shape.make(80_000), page: 1000, latency: millis(20)}
				n, most := int64(0), int64(0)
				for _, err := range fastlist.WithParallelListing(s, streams).List(t.Context(), providers.ListOptions{}) {
					if err != nil {
						t.Fatal(err)
					}
					if n++; n%2000 == 0 && n < 50_000 {
						time.Sleep(time.Second) //nolint:forbidigo // the clock is synctest's; this stands for the work of a slow loop
						most = max(most, s.yielded.Load()-n)
					}
				}
				if bound := int64((8+1)*streams*1000 + 3*1000); most > bound || most < 10_000 {
					t.Errorf("%d objects waited, want at most %d and many", most, bound)
				}
			})
		})
	}
}

// Wrong guesses cost requests. Their number is bounded for every shape
// of keys.
func TestList_ExtraRequestsAreBounded(t *testing.T) {
	t.Parallel()
	const streams = 16
	for _, shape := range shapes() {
		t.Run(shape.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &simulated{keys: shape.make(80_000), page: 1000, latency: millis(100)}
				wantList(t, fastlist.WithParallelListing(s, streams), providers.ListOptions{}, s.keys)
				pages := int64(len(s.keys)+999) / 1000
				if bound := pages*140/100 + streams; s.lists.Load() > bound {
					t.Errorf("%d requests for %d pages, want at most %d", s.lists.Load(), pages, bound)
				}
			})
		})
	}
}

func TestList_PassesTheSuite(t *testing.T) {
	t.Parallel()
	providertest.Run(t, func(t testing.TB) providers.Bucket {
		t.Helper()
		return fastlist.WithParallelListing(memtest.Bucket(t), 4)
	})
	providertest.RunThrough(t, fastlist.WithParallelListing(memtest.Bucket(t), 4))
	one := memtest.Bucket(t)
	if fastlist.WithParallelListing(one, 1) != one {
		t.Error("one stream is wrapped")
	}
	if checks := providers.Probe(t.Context(), fastlist.WithParallelListing(one, 4), tasks.Need{Read: true}); len(checks) != 2 {
		t.Errorf("probed: %+v", checks)
	}
}

// A panic of the bucket in one of the streams becomes a panic of the
// caller, with the stack of the stream.
func TestList_PanicsInTheCallersGoroutine(t *testing.T) {
	t.Parallel()
	keys := shapes()[0].make(60_000)
	for name, at := range map[string]string{"WhileListing": keys[30_000], "AtTheStart": keys[3001]} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { // it fails if a goroutine is left
				s := &simulated{keys: keys, page: 1000, latency: millis(100)}
				s.fail = func(_, first string) error {
					if first >= at {
						panicking()
					}
					return nil
				}
				n := 0
				defer func() {
					p, ok := recover().(*guard.PanicError)
					if !ok || p.Value != panicValue || !strings.Contains(p.Stack, "panicking()") {
						t.Errorf("after %d objects: got %+v", n, p)
					}
					if s.running.Load() != 0 {
						t.Errorf("%d requests run", s.running.Load())
					}
				}()
				for _, err := range fastlist.WithParallelListing(s, 16).List(t.Context(), providers.ListOptions{}) {
					if n++; err != nil {
						t.Error(err)
					}
				}
			})
		})
	}
}

const panicValue = "panicking"

//go:noinline
func panicking() { panic(panicValue) }

// When a slow caller breaks off the loop, all streams wait for it. They
// must end too.
func TestList_BreakWhileAllStreamsWait(t *testing.T) {
	t.Parallel()
	for _, at := range []int{3001, 10_000} {
		synctest.Test(t, func(t *testing.T) { // it fails if a goroutine is left
			s := &simulated{keys: shapes()[0].make(300_000), page: 1000, latency: millis(100)}
			n := 0
			for _, err := range fastlist.WithParallelListing(s, 4).List(t.Context(), providers.ListOptions{}) {
				if n++; n < at && err == nil {
					continue
				}
				time.Sleep(time.Hour) //nolint:forbidigo // the clock is synctest's; after an hour every stream waits
				break
			}
			if n != at || s.running.Load() != 0 {
				t.Errorf("after %d objects %d requests run", n, s.running.Load())
			}
		})
	}
}
