package previous_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/job/listing"
	"github.com/stevedore-jobs/stevedore/worker/manifest/entry"
	"github.com/stevedore-jobs/stevedore/worker/manifest/previous"
	"github.com/stevedore-jobs/stevedore/worker/memory"
)

// breaking is a bucket with one object, whose connections break after a
// number of bytes.
type breaking struct {
	providers.Bucket
	content string
	after   int
	opened  []int64 // at which offsets
}

// Open implements providers.Bucket.
func (b *breaking) Open(_ context.Context, key string, opts providers.ReadOptions) (*providers.Reader, error) {
	b.opened = append(b.opened, opts.Offset)
	if len(b.opened) > 1 && opts.IfMatch != "v1" {
		return nil, errors.New("another version")
	}
	rest := strings.NewReader(b.content[opts.Offset:])
	var body io.Reader = rest
	if rest.Len() > b.after {
		body = io.MultiReader(io.LimitReader(rest, int64(b.after)), broken{})
	}
	return &providers.Reader{
		ReadCloser: io.NopCloser(body), Object: providers.Object{Key: key, Size: int64(len(b.content)), ETag: "v1"},
	}, nil
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("connection reset") }

func manifest(n int) string {
	text := entry.Header
	for i := range n {
		line := entry.Image(fmt.Sprintf("%04d.jpg", i), i, 2)
		text += string(entry.WithExtra(line, entry.Extra{ETag: "e", Size: int64(i)}))
	}
	return text
}

// A server that ends a slow connection is asked for the rest.
func TestManifest_GoesOnAfterAFailure(t *testing.T) {
	t.Parallel()
	content := manifest(20)
	for after, fails := range map[int]bool{len(content) / 3: false, 10: true} {
		b := &breaking{content: content, after: after}
		m, err := previous.Open(t.Context(), b, "manifest.jsonl")
		if err != nil {
			t.Fatal(err)
		}
		matcher := previous.NewMatcher(m, "in/", true, memory.New(1<<20))
		var states []previous.State
		for i := range 20 {
			var k previous.Known
			k, err = matcher.Match(t.Context(), providers.Object{Key: fmt.Sprintf("in/%04d.jpg", i), Size: int64(i), ETag: "e"})
			if err != nil {
				break
			}
			states = append(states, k.State)
		}
		if fails {
			if err == nil || len(b.opened) != 6 {
				t.Errorf("opened %d times, %v", len(b.opened), err)
			}
			continue
		}
		facts, err := matcher.Facts(t.Context(), false)
		want := previous.Facts{ETag: "v1", Size: int64(len(content)), SHA256: facts.SHA256, Entries: 20}
		if diff := cmp.Diff(want, facts); diff != "" || err != nil || len(b.opened) < 3 {
			t.Errorf("opened at %d, %v\n%s", b.opened, err, diff)
		}
		if len(states) != 20 || slices.Max(states) != previous.Unchanged || slices.Min(states) != previous.Unchanged {
			t.Errorf("states %v", states)
		}
		matcher.Close()
	}
}

func shardOf(objects []providers.Object, known []byte) job.Shard {
	var p listing.Packer
	for _, o := range objects {
		p.Add(o)
	}
	return job.Shard{Listing: p.Pack(), Known: known}
}

func TestKnownComesBack(t *testing.T) {
	t.Parallel()
	objects := []providers.Object{{Key: "a"}, {Key: "b"}, {Key: "c"}}
	known := []previous.Known{
		{State: previous.Added}, {State: previous.Unchanged, Width: 1 << 20, Height: 3, Type: "jpeg", Unopenable: true}, {State: previous.Unmarked, Width: 5},
	}
	for _, facts := range []*previous.Facts{nil, {ETag: "x", Removed: []string{"é\n"}}} {
		got, gotFacts, err := previous.Unpack(shardOf(objects, previous.Pack(known, facts)))
		want := map[string]previous.Known{"a": known[0], "b": known[1], "c": known[2]}
		if diff := cmp.Diff(want, got) + cmp.Diff(facts, gotFacts); diff != "" || err != nil {
			t.Errorf("%v\n%s", err, diff)
		}
	}
	for _, s := range []job.Shard{shardOf(objects, previous.Pack(known[:2], nil)), shardOf(objects, []byte("no frame"))} {
		if got, _, err := previous.Unpack(s); err == nil {
			t.Errorf("got %v", got)
		}
	}
	if got, facts, err := previous.Unpack(job.Shard{Known: previous.Pack(known, nil)}); got != nil || facts != nil || err != nil {
		t.Errorf("without its listing: %v, %v, %v", got, facts, err)
	}
}

// The facts are found wherever they stand, and nobody else sees them.
func TestData_FactsAreTakenOut(t *testing.T) {
	t.Parallel()
	facts := previous.Facts{ETag: "x", Entries: 3}
	line, other := string(facts.Line()), `{"name":"{\"previous\":1}"}`+"\n"
	for _, pieces := range [][]string{{other + line + other}, {line, other, other}, {other, other + line}, {line + other + other}} {
		d := previous.NewData(iter.Seq2[[]byte, error](func(yield func([]byte, error) bool) {
			for _, p := range pieces {
				if !yield([]byte(p), nil) {
					return
				}
			}
		}))
		for range 2 {
			var got bytes.Buffer
			for piece, err := range d.Pieces {
				if len(piece) == 0 || err != nil {
					t.Errorf("%q, %v", piece, err)
				}
				got.Write(piece)
			}
			if got.String() != other+other || !cmp.Equal(d.Facts, &facts) {
				t.Errorf("%q: %q, %+v", pieces, got.String(), d.Facts)
			}
		}
	}
}

// A file of another kind is not read on, however large it is.
func TestManifest_OfAnotherKind(t *testing.T) {
	t.Parallel()
	content := "no manifest\n" + strings.Repeat("x\n", 4<<20)
	b := &breaking{content: content, after: 1 << 20} // reading on would open it again
	m, err := previous.Open(t.Context(), b, "m")
	if err != nil {
		t.Fatal(err)
	}
	matcher := previous.NewMatcher(m, "", true, memory.New(1<<20))
	defer matcher.Close()
	k, err := matcher.Match(t.Context(), providers.Object{Key: "a"})
	facts, factsErr := matcher.Facts(t.Context(), false)
	if want := (previous.Facts{ETag: "v1", Inexact: true}); k.State != previous.Added || !cmp.Equal(facts, want) || err != nil || factsErr != nil || len(b.opened) != 1 {
		t.Errorf("%+v, %+v, %v, %v; opened %d times", k, facts, err, factsErr, len(b.opened))
	}
}

// A manifest of any content is read to its end, and no entry is found
// twice.
func FuzzMatcher(f *testing.F) {
	f.Add(manifest(3), "0000.jpg\n0001.jpg\n0002.jpg")
	f.Add(entry.Header+`{"name":"a","width":-5,"height":1e12,"type":"`+strings.Repeat("x", 99)+`"}`, "a")
	f.Add(entry.Header+"{}\n\n{\"name\":\"a\",\"meta\":{\"original_name\":\"b\"}}", "b\na")
	f.Fuzz(func(t *testing.T, content, keys string) {
		m, err := previous.Open(t.Context(), &breaking{content: content, after: len(content)}, "m")
		if err != nil {
			t.Fatal(err)
		}
		matcher := previous.NewMatcher(m, "", true, memory.New(8<<20))
		defer matcher.Close()
		found := int64(0)
		seen := map[string]bool{}
		for key := range strings.SplitSeq(keys, "\n") {
			if seen[key] {
				continue
			}
			seen[key] = true
			k, err := matcher.Match(t.Context(), providers.Object{Key: key})
			if err != nil {
				t.Fatal(err)
			}
			if k.State > previous.Added {
				found++
			}
			known, _, err := previous.Unpack(shardOf([]providers.Object{{Key: key}}, previous.Pack([]previous.Known{k}, nil)))
			if len(key) < 1024 && (err != nil || known[key] != k) {
				t.Errorf("%+v comes back as %+v, %v", k, known, err)
			}
		}
		facts, err := matcher.Facts(t.Context(), false)
		if err != nil || facts.SHA256 != "" && facts.Size != int64(len(content)) || found > facts.Entries || len(facts.Removed) > previous.MaxRemoved {
			t.Errorf("%d found; %+v, %v", found, facts, err)
		}
	})
}
