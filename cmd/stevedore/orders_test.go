package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/settings"
	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/keyorder"
	"github.com/stevedore-jobs/stevedore/providers/mem"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/embedded"
	"github.com/stevedore-jobs/stevedore/worker"
	"github.com/stevedore-jobs/stevedore/worker/job/jobtest"
)

// The jobs leave the same behind on stores of each order, byte for
// byte. deploy/test.sh --chaos runs this with a hundred thousand keys.
func TestJobsInEachOrder(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes some seconds")
	}
	n, orders := 1500, keyorder.Unknown.Each()
	if os.Getenv("STEVEDORE_CHAOS") == "full" {
		n = 100_000
		if name := os.Getenv("STEVEDORE_CHAOS_ORDER"); name != "" {
			order, err := keyorder.Parse(name)
			if err != nil {
				t.Fatal(err)
			}
			orders = order.Each()
		}
	}
	keys := jobtest.DifferingKeys(n)
	plain := mem.New()
	for _, name := range []string{"images", "results"} {
		plain.Create(name) // lists by bytes, and says so
	}
	want := runJobsOn(t, plain, keys)
	for _, order := range orders {
		t.Run(order.String(), func(t *testing.T) {
			store := mem.New()
			for _, name := range []string{"images", "results"} {
				store.CreateIn(name, order)
			}
			if diff := cmp.Diff(want, runJobsOn(t, store, keys)); diff != "" {
				t.Errorf("it differs from a store that lists by bytes:\n%s", diff)
			}
		})
	}
}

// leftBehind is what the jobs have left behind.
type leftBehind struct {
	Results []string          // of the jobs, as JSON would show them
	Outputs map[string]string // SHA-256 of the outputs, and of all thumbnails with their keys
}

// runJobsOn runs each job twice, with the engine of stevedore run.
func runJobsOn(t *testing.T, store *mem.Opener, keys []string) (left leftBehind) {
	t.Helper()
	images := tasks.Storage{Provider: "mem", Bucket: "images"}
	results := tasks.Storage{Provider: "mem", Bucket: "results"}
	fillOrdered(t, openMem(t, store, images), keys)
	annotations := documentOf(keys)
	putMem(t, openMem(t, store, results), "annotations.xml", annotations)

	client := startEngine(t, store)
	for _, j := range []tasks.Job{
		tasks.BuildManifest{Source: images, Destination: &results},
		tasks.GenerateThumbnails{Source: images, Destination: &results, Size: 16, Directory: "small/"},
		tasks.ExportAnnotations{
			Source: images, Destination: &results, Format: tasks.FormatCOCOInstances, Key: "data.zip", IncludeImages: true,
			Annotations: tasks.Annotations{Storage: &results, Key: "annotations.xml", Format: tasks.FormatCVATImages},
		},
	} {
		for range 2 {
			began := time.Now()
			id, err := client.Enqueue(t.Context(), j)
			if err != nil {
				t.Fatal(err)
			}
			s, err := client.Wait(t.Context(), id, func(tasks.Status) {})
			if err != nil {
				t.Fatal(err)
			}
			r, err := client.Result(s)
			if err != nil {
				t.Fatalf("%v: %+v", err, s.Failure)
			}
			t.Logf("%s: %v: %s", j.Kind(), time.Since(began).Round(10*time.Millisecond), r.Summary())
			left.Results = append(left.Results, textOf(t, r))
		}
	}

	left.Outputs = map[string]string{}
	b := openMem(t, store, results)
	for _, key := range []string{"manifest.jsonl", "small/index.jsonl", "data.zip"} {
		left.Outputs[key] = digestOf(t, b, key)
	}
	var thumbnails []string
	for o, err := range b.List(t.Context(), providers.ListOptions{Prefix: "small/"}) {
		if err != nil {
			t.Fatal(err)
		}
		thumbnails = append(thumbnails, o.Key+" "+o.ETag)
	}
	slices.Sort(thumbnails)
	left.Outputs["thumbnails"] = fmt.Sprintf("%d, %x", len(thumbnails), sha256.Sum256(fmt.Append(nil, thumbnails)))
	return left
}

// startEngine starts a worker with all jobs and an embedded Redis, as
// stevedore run does. The buckets are listed in several streams.
func startEngine(t *testing.T, store *mem.Opener) *producer.Client {
	t.Helper()
	s, err := settings.Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	redis, err := embedded.Start()
	if err != nil {
		t.Fatal(err)
	}
	slots := runtime.GOMAXPROCS(0)
	w, err := worker.New(worker.Config{
		Redis:        redis.Options(),
		Providers:    providers.Registry{"mem": locatedOpener{store}},
		ListStreams:  s.ListStreams,
		VerifySlots:  slots,
		JobSlots:     slots,
		ShardSlots:   slots,
		Parallel:     32,
		DrainTimeout: 5 * time.Second,
		Log:          slog.New(slog.DiscardHandler),
	}, jobs(s)...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = w.Run(ctx) })
	client := producer.New(redis.Options())
	t.Cleanup(func() {
		_ = client.Close()
		cancel()
		running.Wait()
		redis.Close()
	})
	return client
}

// locatedOpener opens buckets that look as if they were behind a
// network, so that they are listed in several streams.
type locatedOpener struct{ *mem.Opener }

// Open implements providers.Opener.
func (o locatedOpener) Open(
	ctx context.Context, s tasks.Storage, secrets providers.Secrets,
) (providers.Bucket, error) {
	b, err := o.Opener.Open(ctx, s, secrets)
	return locatedBucket{b}, err
}

type locatedBucket struct{ providers.Bucket }

func (locatedBucket) Endpoint() string             { return "" }
func (locatedBucket) SignIn() providers.SignIn     { return providers.SignIn{} }
func (locatedBucket) CORSTarget() string           { return "" }
func (locatedBucket) CORSAdvice(tasks.CORS) string { return "" }
func (b locatedBucket) Unwrap() providers.Bucket   { return b.Bucket }

func openMem(t *testing.T, store *mem.Opener, s tasks.Storage) providers.Bucket {
	t.Helper()
	b, err := store.Open(t.Context(), s, providers.Secrets{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func putMem(t *testing.T, b providers.Bucket, key string, data []byte) {
	t.Helper()
	if _, err := b.Put(t.Context(), key, bytes.NewReader(data), providers.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
}

// fillOrdered stores small images; some are broken, and some that the
// annotations name are missing.
func fillOrdered(t *testing.T, b providers.Bucket, keys []string) {
	t.Helper()
	var contents [][]byte
	for side := range 8 {
		var data bytes.Buffer
		if err := png.Encode(&data, image.NewGray(image.Rect(0, 0, side+1, 2))); err != nil {
			t.Fatal(err)
		}
		contents = append(contents, data.Bytes())
	}
	for i, key := range keys {
		switch {
		case isMissing(i):
		case i%500 == 8:
			putMem(t, b, key, []byte("this is not an image"))
		default:
			putMem(t, b, key, contents[i%len(contents)])
		}
	}
}

func isMissing(i int) bool { return i%1000 == 3 }

// documentOf returns annotations of the images, the last one first.
func documentOf(keys []string) []byte {
	var doc bytes.Buffer
	doc.WriteString(`<?xml version="1.0" encoding="utf-8"?><annotations><version>1.1</version>` +
		`<meta><task><id>7</id><name>t</name><labels><label><name>car</name><attributes></attributes></label></labels></task></meta>`)
	for i, key := range slices.Backward(keys) {
		fmt.Fprintf(&doc, `<image id="%d" name="%s" width="%d" height="2">`+
			`<box label="car" source="manual" occluded="0" xtl="0" ytl="0" xbr="1" ybr="1" z_order="0"></box></image>`,
			i, key, i%8+1)
	}
	doc.WriteString(`</annotations>`)
	return doc.Bytes()
}

func digestOf(t *testing.T, b providers.Bucket, key string) string {
	t.Helper()
	r, err := b.Open(t.Context(), key, providers.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	sum := sha256.New()
	if _, err := io.Copy(sum, r); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// textOf returns a result as JSON, to compare it.
func textOf(t *testing.T, r tasks.Result) string {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
