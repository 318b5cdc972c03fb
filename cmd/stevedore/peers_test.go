package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/settings"
	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// peer is an S3 server of another project.
type peer struct {
	Name            string `json:"name"`
	Endpoint        string `json:"endpoint"`
	AccessKeyID     string `json:"access_key_id"`
	SecretAccessKey string `json:"secret_access_key"`
	// Buckets are empty. One of them may keep old versions.
	Buckets []string `json:"buckets"`
	// Anyone is set if the server accepts every key.
	Anyone bool `json:"anyone"`
}

// peers reads the list of servers that deploy/test.sh --peers starts.
func peers(t *testing.T) []peer {
	t.Helper()
	file := os.Getenv("STEVEDORE_TEST_PEERS")
	if file == "" {
		t.Skip("deploy/test.sh --peers starts the servers for it")
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var list []peer
	if err := json.Unmarshal(data, &list); err != nil {
		t.Fatal(err)
	}
	return list
}

func (p peer) storage(t *testing.T, bucket string) tasks.Storage {
	t.Helper()
	return tasks.Storage{
		Provider: "s3", Bucket: bucket, Region: "us-east-1", Endpoint: p.Endpoint,
		Auth: tasks.Auth{
			Method: tasks.AuthAccessKey, AccessKeyID: p.AccessKeyID,
			SecretAccessKey: secretFile(t, p.SecretAccessKey),
		},
	}
}

// peerKeys are images whose order differs between servers that list by
// bytes, by UTF-16 units, directory by directory, or by the names of
// their files. They are in code-point order.
var peerKeys = []string{
	"a b+c%20d.png", "a-b/1.png", "a-b/2.png", "a.png", "a/1.png", "a/b/c.png", "a0.png",
	"a1.png/x.png", "a1.pngx/x.png", "（１）.png", "ﾊｰﾊﾞｰ.png", "😀.png", "𠮷野.png",
}

// Each job runs twice on each bucket of each server.
func TestPeers(t *testing.T) {
	t.Parallel()
	for _, p := range peers(t) {
		for _, bucket := range p.Buckets {
			t.Run(p.Name+"/"+bucket, func(t *testing.T) {
				t.Parallel()
				runOnPeer(t, p.storage(t, bucket))
			})
		}
	}
}

func runOnPeer(t *testing.T, s tasks.Storage) {
	t.Helper()
	cfg := configured(t)
	b := open(t, cfg, s)
	fillPeer(t, b)
	client := startedLocal(t, cfg).client
	n := int64(len(peerKeys))

	for again := range 2 {
		v := result[tasks.VerifyConnectionResult](t, client, tasks.VerifyConnection{
			Storage: s, Need: tasks.Need{Read: true, Write: true},
		})
		if !v.OK {
			t.Errorf("verify: %+v", v)
		}

		m := result[tasks.BuildManifestResult](t, client, tasks.BuildManifest{Source: s})
		if m.Entries != n || m.Failed != 0 || m.Unchanged != (again > 0) {
			t.Errorf("manifest: %+v", m)
		}

		g := result[tasks.GenerateThumbnailsResult](t, client, tasks.GenerateThumbnails{Source: s})
		if g.Failed != 0 || g.Written+g.Unchanged != n || (again > 0) != (g.Written == 0) {
			t.Errorf("thumbnails: %+v", g)
		}

		e := result[tasks.ExportAnnotationsResult](t, client, tasks.ExportAnnotations{
			Source:      s,
			Annotations: tasks.Annotations{Key: "annotations.xml", Format: tasks.FormatCVATImages},
			Format:      tasks.FormatCOCOInstances, Key: "export.zip", IncludeImages: true,
		})
		if e.Images != n || e.Annotations != n || e.Failed != 0 {
			t.Errorf("export: %+v", e)
		}
	}
	if diff := cmp.Diff(peerKeys, manifestNames(t, b)); diff != "" {
		t.Errorf("the manifest has other names, or in another order: %s", diff)
	}
}

// fillPeer stores an image at each of peerKeys, and annotations of all
// of them.
func fillPeer(t *testing.T, b providers.Bucket) {
	t.Helper()
	xml := `<annotations><version>1.1</version><meta><task><labels><label><name>car</name></label>` +
		`</labels></task></meta>`
	for i, key := range slices.Backward(peerKeys) {
		var img bytes.Buffer
		if err := png.Encode(&img, image.NewGray(image.Rect(0, 0, 8+i, 8))); err != nil {
			t.Fatal(err)
		}
		put(t, b, key, img.String())
		xml += fmt.Sprintf(`<image id="%d" name="%s" width="%d" height="8">`+
			`<box label="car" occluded="0" xtl="1" ytl="1" xbr="5" ybr="5" z_order="0"></box></image>`,
			i, key, 8+i)
	}
	put(t, b, "annotations.xml", xml+"</annotations>")
}

func put(t *testing.T, b providers.Bucket, key, content string) {
	t.Helper()
	_, err := b.Put(t.Context(), key, strings.NewReader(content), providers.WriteOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

// manifestNames returns the names of the manifest's entries in their
// order.
func manifestNames(t *testing.T, b providers.Bucket) (names []string) {
	t.Helper()
	r, err := b.Open(t.Context(), "manifest.jsonl", providers.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(data) {
		var entry struct{ Name, Extension string }
		if err := json.Unmarshal(line, &entry); err != nil {
			t.Fatal(err)
		}
		if entry.Name != "" {
			names = append(names, entry.Name+entry.Extension)
		}
	}
	return names
}

// result runs a job and returns its result. A job that fails ends the
// test.
func result[R tasks.Result](t *testing.T, client *producer.Client, j tasks.Job) R {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), maxWait)
	defer cancel()
	id, err := client.Enqueue(ctx, j)
	if err != nil {
		t.Fatal(err)
	}
	status, err := client.Wait(ctx, id, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := producer.Result(status)
	if err != nil {
		t.Fatalf("%s: %v: %+v", j.Kind(), err, status.Failure)
	}
	return r.(R)
}

// A wrong key, secret or bucket makes one check fail, with advice. The
// checks after it are not made.
func TestPeersDiagnosis(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		spoil func(*tasks.Storage)
		check string
		codes []string
	}{
		"wrong key": {
			func(s *tasks.Storage) { s.Auth.AccessKeyID = "AKIAWRONGWRONGWRONG1" },
			tasks.CheckIDCredentials, []string{"InvalidAccessKeyId", "AccessDenied"},
		},
		"wrong secret": {
			func(s *tasks.Storage) { s.Auth.SecretAccessKey = secretFile(t, "wrong") },
			tasks.CheckIDCredentials, []string{"SignatureDoesNotMatch", "AccessDenied"},
		},
		"wrong bucket": {
			func(s *tasks.Storage) { s.Bucket = "no-such-bucket-here" },
			tasks.CheckIDList, []string{"NoSuchBucket"},
		},
	}
	for _, p := range peers(t) {
		for name, c := range cases {
			if p.Anyone && c.check == tasks.CheckIDCredentials {
				continue
			}
			t.Run(p.Name+"/"+name, func(t *testing.T) {
				t.Parallel()
				s := p.storage(t, p.Buckets[0])
				c.spoil(&s)
				checkOneFault(t, configured(t), s, c.check, c.codes)
			})
		}
	}
}

// checkOneFault verifies a storage. Exactly the given check must fail.
func checkOneFault(
	t *testing.T, cfg settings.Settings, s tasks.Storage, id string, codes []string,
) {
	t.Helper()
	v := result[tasks.VerifyConnectionResult](t, startedLocal(t, cfg).client,
		tasks.VerifyConnection{Storage: s, Need: tasks.Need{Read: true, Write: true}})
	failed := 0
	for _, c := range v.Checks {
		if c.Status != tasks.CheckFail {
			continue
		}
		failed++
		if c.ID != id || !slices.Contains(codes, c.Code) || c.Fix == "" {
			t.Errorf("%+v", c)
		}
	}
	if v.OK || failed != 1 {
		t.Errorf("%d checks failed, want %s alone: %+v", failed, id, v.Checks)
	}
}
