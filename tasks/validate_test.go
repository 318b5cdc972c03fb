package tasks_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// wantFaults checks that a payload has exactly these faults, in this
// order. Without a fault it must be valid.
func wantFaults(t *testing.T, j tasks.Job, want ...string) {
	t.Helper()
	err := j.Validate()
	if len(want) == 0 {
		if err != nil {
			t.Errorf("a good payload gave %v", err)
		}
		return
	}
	var invalid *tasks.InvalidError
	if !errors.As(err, &invalid) {
		t.Fatalf("Validate gave %v, want an *InvalidError", err)
	}
	got := make([]string, len(invalid.Fields))
	for i, f := range invalid.Fields {
		got[i] = f.String()
	}
	if invalid.JobKind != j.Kind() || !slices.Equal(got, want) {
		t.Errorf("%s has the faults\n  %s\nwant those of %s\n  %s",
			invalid.JobKind, strings.Join(got, "\n  "), j.Kind(), strings.Join(want, "\n  "))
	}
	if text := j.Kind() + " payload: " + strings.Join(want, "; "); err.Error() != text {
		t.Errorf("the error reads %q, want %q", err, text)
	}
}

func mem(prefix string) tasks.Storage {
	return tasks.Storage{Provider: "mem", Bucket: "b", Prefix: prefix}
}

func TestEveryFaultAtOnce(t *testing.T) {
	t.Parallel()
	payload := `{
		"source": {
			"provider": "s3", "bucket": "https://b.s3.amazonaws.com", "prefix": "/cats/", "location": "eu", "project": "p",
			"account": "a", "endpoint": "ftp://x", "manifests": ["ok.jsonl", "/m.json", ""],
			"auth": {"method": "access-key", "access_key_id": " AKIA", "session_token": "` + canary + `", "role_arn": "arn"}
		},
		"destination": {"provider": "gsc", "bucket": "", "auth": {"key_file": "env:KEY"}},
		"annotations": {"storage": {"auth": {"method": "sas"}}, "key": "a//b", "format": "coco", "image_directory": "img"},
		"format": "yolo",
		"key": "out.tar"
	}`
	j, err := lookup(t, "export-annotations").Decode([]byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	const segments = `has an empty, "." or ".." path segment, a backslash or a control character`
	wantFaults(t, j,
		`source.bucket: is a URL: give the name alone`,
		`source.prefix: starts with a slash: keys are relative to the bucket`,
		`source.endpoint: must be http://host or https://host`,
		`source.location: only for provider gcs`,
		`source.project: only for provider gcs`,
		`source.account: only for provider azure`,
		`source.manifests[1]: starts with a slash: keys are relative to the bucket`,
		`source.manifests[1]: "/m.json" does not end in .jsonl`,
		`source.manifests[2]: `+segments,
		`source.manifests[2]: "" does not end in .jsonl`,
		`source.auth.secret_access_key: empty: give a reference, env:NAME or file:/path`,
		`source.auth.session_token: must be a reference, env:NAME or file:/path, or be sealed (the value given is not shown)`,
		`source.auth.role_arn: not used by method "access-key"`,
		`source.auth.access_key_id: has white space around it`,
		`destination.provider: "gsc" is none of `+providerNames(false)+`; did you mean gcs?`,
		`destination.bucket: empty`,
		`destination.auth.key_file: not used by method ""`,
		`annotations.storage.provider: empty: give `+providerNames(true),
		`annotations.storage.bucket: empty`,
		`annotations.storage.auth.sas_token: empty: give a reference, env:NAME or file:/path`,
		`annotations.key: `+segments,
		`annotations.format: "coco" is not supported; there is `+readFormats(),
		`annotations.image_directory: must end with a slash`,
		`format: "yolo" is not supported; there is `+writtenFormats(),
		`key: "out.tar" must end in .zip`,
	)
}

func TestValidatePayloads(t *testing.T) {
	t.Parallel()
	in := tasks.Annotations{Key: "annotations.xml", Format: tasks.FormatCVATImages}
	const (
		segments = `has an empty, "." or ".." path segment, a backslash or a control character`
		toCats   = ` is outside "cats/", the directory of the storage's prefix`
	)
	for name, c := range map[string]struct {
		job  tasks.Job
		want []string
	}{
		"verify":           {job: tasks.VerifyConnection{Storage: mem("cats/im"), Need: tasks.Need{Read: true}}},
		"manifest default": {job: tasks.BuildManifest{Source: mem("cats/im"), Exclude: []string{"cats/im/tmp", "cats/old/"}}},
		"manifest named":   {job: tasks.BuildManifest{Source: mem("cats/im"), Manifest: "cats/deep/m.jsonl"}},
		"manifest elsewhere": {tasks.BuildManifest{Source: mem("cats/im"), Manifest: "dogs/m.jsonl"},
			[]string{`manifest: "dogs/m.jsonl"` + toCats}},
		"manifest climbs": {tasks.BuildManifest{Source: mem("cats/"), Manifest: "cats/../m.jsonl"}, []string{`manifest: ` + segments}},
		"manifest at the destination": {tasks.BuildManifest{Source: mem("cats/"), Destination: new(mem("dogs/")), Manifest: "cats/m.jsonl"},
			[]string{`manifest: "cats/m.jsonl" is outside "dogs/", the directory of the storage's prefix`}},
		"manifest is no manifest": {tasks.BuildManifest{Source: mem(""), Manifest: "m/"}, []string{`manifest: "m/" must end in .jsonl`}},
		"prefix reported once": {tasks.BuildManifest{Source: mem("a//b/")},
			[]string{`source.prefix: ` + segments}},
		"exclusions that exclude all or nothing": {tasks.BuildManifest{Source: mem(""), Exclude: []string{"a", "", "/b", "c//"}},
			[]string{`exclude[1]: empty`, `exclude[2]: starts with a slash: keys are relative to the bucket`, `exclude[3]: ` + segments}},
		"thumbnails default":           {job: tasks.GenerateThumbnails{Source: mem("cats/im")}},
		"thumbnails to a whole bucket": {job: tasks.GenerateThumbnails{Source: mem("cats/"), Destination: &tasks.Storage{Provider: "mem", Bucket: "other"}}},
		"inclusions of all":            {tasks.BuildManifest{Source: mem(""), Include: []string{"a/", ""}}, []string{`include[1]: empty`}},
		"manifest selection": {job: tasks.BuildManifest{
			Source: mem(""), Include: []string{"**/*.jpg", "a/"}, Exclude: []string{"**/tmp/**"}, MinSize: 1, MaxSize: 1, MaxFailed: new(0.0), Unopenable: "include",
		}},
		"manifest selects nothing": {tasks.BuildManifest{
			Source: mem(""), Include: []string{"*["}, Exclude: []string{"a*/../b"}, MinSize: 9, MaxSize: 8, MaxFailed: new(20.0),
		}, []string{
			`include[0]: is a malformed glob: a set of characters is empty, or has no "]" at its end`, `exclude[0]: ` + segments,
			`max_size: 8 is less than min_size, 9: no object has such a size`,
			`max_failed: 20 is not within 0 to 1; 0.2 means a fifth of the images`,
		}},
		"manifest sizes": {tasks.BuildManifest{Source: mem(""), MinSize: -1, MaxSize: -2, MaxFailed: new(-0.1), Unopenable: "skip"}, []string{
			`min_size: -1 is negative; give a number of bytes`, `max_size: -2 is negative; give a number of bytes`,
			`max_failed: -0.1 is not within 0 to 1; 0.2 means a fifth of the images`,
			`unopenable: "skip" is not supported; there is leave-out, include`,
		}},
		"manifest checksums":      {job: tasks.BuildManifest{Source: mem(""), Checksum: true}},
		"manifest clouds no sums": {tasks.BuildManifest{Source: mem(""), Checksum: true, Dimension: "3d"}, []string{`checksum: must be absent for 3d: CVAT fails on point clouds with checksums`}},
		"manifest tasks no sums": {tasks.BuildManifest{Source: tasks.Storage{Provider: "mem", Bucket: "b"}, Checksum: true, Dialect: "label-studio"},
			[]string{`checksum: must be absent for label-studio, which has no checksums`, `dialect: Label Studio reads images from s3, gcs and azure only`}},
		"manifest order":       {job: tasks.BuildManifest{Source: mem("cats/"), Sorting: "predefined", Order: &tasks.ManifestOrder{Keys: []string{"b.jpg", "a.jpg"}}}},
		"manifest order key":   {job: tasks.BuildManifest{Source: mem("cats/"), Sorting: "predefined", Order: &tasks.ManifestOrder{Key: "cats/order.txt"}}},
		"manifest of a video":  {job: tasks.BuildManifest{Source: mem("cats/"), Video: "cats/a.mp4"}},
		"manifest of a report": {job: tasks.BuildManifest{Source: mem("cats/"), Inventory: &tasks.Inventory{Storage: new(mem("lists/")), Key: "lists/x/manifest.json"}}},
		"manifest order elsewhere": {job: tasks.BuildManifest{Source: mem("cats/"), Sorting: "predefined", Order: &tasks.ManifestOrder{
			Storage: new(mem("lists/")), Key: "lists/order.txt"}}},
		"manifest natural":       {job: tasks.BuildManifest{Source: mem(""), Sorting: "natural"}},
		"manifest sorting":       {tasks.BuildManifest{Source: mem(""), Sorting: "naturl"}, []string{`sorting: "naturl" is not supported; there is lexicographical, natural, predefined; did you mean natural?`}},
		"manifest without order": {tasks.BuildManifest{Source: mem(""), Sorting: "predefined"}, []string{`order: missing: sorting "predefined" needs the keys in their order`}},
		"manifest of a video and images": {
			tasks.BuildManifest{Source: mem("cats/"), Video: "dogs/a.mp4", Include: []string{"cats/"}, Plain: true},
			[]string{
				`video: "dogs/a.mp4" is outside "cats/", the directory of the storage's prefix`,
				"video: goes with source, destination and manifest only: other fields are for images",
			},
		},
		"manifest of no report": {tasks.BuildManifest{Source: mem("cats/"), Inventory: &tasks.Inventory{}}, []string{`inventory.key: empty`}},
		"manifest of a report elsewhere": {tasks.BuildManifest{Source: mem("cats/"), Inventory: &tasks.Inventory{Key: "lists/manifest.json"}},
			[]string{`inventory.key: "lists/manifest.json" is outside "cats/", the directory of the storage's prefix`}},
		"manifest order unused": {tasks.BuildManifest{Source: mem(""), Order: &tasks.ManifestOrder{}}, []string{`order: only for sorting "predefined"`}},
		"manifest order twice": {tasks.BuildManifest{Source: mem(""), Sorting: "predefined", Order: &tasks.ManifestOrder{Keys: []string{"a"}, Key: "b"}},
			[]string{`order: give either keys or key`}},
		"manifest order outside": {tasks.BuildManifest{Source: mem("cats/"), Sorting: "predefined", Order: &tasks.ManifestOrder{Key: "order.txt"}},
			[]string{`order.key: "order.txt"` + toCats}},
		"manifest order keys": {tasks.BuildManifest{Source: mem(""), Sorting: "predefined", Order: &tasks.ManifestOrder{Keys: []string{"a", ""}, Storage: new(mem(""))}},
			[]string{`order.keys[1]: "" is no key: it is empty or not UTF-8`, `order.storage: only with key`}},
		"thumbnail globs": {tasks.GenerateThumbnails{Source: mem(""), Include: []string{"**/*.jpg", "*[]"}},
			[]string{`include[1]: is a malformed glob: a set of characters is empty, or has no "]" at its end`}},
		"thumbnails limits": {job: tasks.GenerateThumbnails{Source: mem(""), Directory: "t/", Size: 16, Quality: 100}},
		"thumbnails beyond": {tasks.GenerateThumbnails{Source: mem("cats/"), Directory: "dogs", Size: 2049, Quality: 101, Exclude: []string{""}},
			[]string{`size: 2049 is not within 16 to 2048 pixels`, `quality: 101 is not within 1 to 100`,
				`directory: "dogs" must end in /`, `directory: "dogs"` + toCats, `exclude[0]: empty`}},
		"thumbnails below": {tasks.GenerateThumbnails{Source: mem(""), Size: 15, Quality: -1},
			[]string{`size: 15 is not within 16 to 2048 pixels`, `quality: -1 is not within 1 to 100`}},
		"thumbnails over the images": {tasks.GenerateThumbnails{Source: mem("cats/im"), Directory: "cats/"},
			[]string{`directory: "cats/" holds the images themselves, and what it holds gets no thumbnail`}},
		"export": {job: tasks.ExportAnnotations{Source: mem(""), Annotations: in, Format: "coco-instances", Key: "o/x.zip"}},
		"export of nil": {tasks.ExportAnnotations{}, []string{
			`source.provider: empty: give ` + providerNames(true),
			`source.bucket: empty`,
			`annotations.key: empty`,
			`annotations.format: "" is not supported; there is ` + readFormats(),
			`format: "" is not supported; there is ` + writtenFormats(),
			`key: empty`,
		}},
		"export outside": {tasks.ExportAnnotations{Source: mem("cats/"), Annotations: in, Format: "coco-instances", Key: "x.zip"},
			[]string{`annotations.key: "annotations.xml"` + toCats, `key: "x.zip"` + toCats}},
		"export to a directory": {tasks.ExportAnnotations{Source: mem(""), Annotations: in, Format: "coco-instances", Key: "x.zip/"},
			[]string{`key: "x.zip/" must end in .zip`}},
		"annotations in a directory": {tasks.ExportAnnotations{Source: mem(""), Annotations: tasks.Annotations{Key: "a/", Format: in.Format, ImageDirectory: "i//"}, Format: "coco-instances", Key: "x.zip"},
			[]string{`annotations.key: ends with a slash: it must name an object, not a directory`, `annotations.image_directory: ` + segments}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantFaults(t, c.job, c.want...)
		})
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ key, want string }{
		"plain":           {"a/b.jsonl", ""},
		"Japanese":        {"港の 風景/m.jsonl", ""},
		"dots in a name":  {"a/..b/c..jsonl", ""},
		"longest":         {strings.Repeat("a", 1018) + ".jsonl", ""},
		"too long":        {strings.Repeat("a", 1019) + ".jsonl", "longer than 1024 bytes"},
		"absolute":        {"/m.jsonl", "starts with a slash: keys are relative to the bucket"},
		"empty segment":   {"a//m.jsonl", "path segment"},
		"this directory":  {"./m.jsonl", "path segment"},
		"upper directory": {"a/../m.jsonl", "path segment"},
		"backslash":       {`a\m.jsonl`, "backslash"},
		"line break":      {"a\nm.jsonl", "control character"},
		"delete":          {"a\x7fm.jsonl", "control character"},
		"not UTF-8":       {"a\xffm.jsonl", "is not UTF-8"},
	} {
		err := tasks.BuildManifest{Source: mem(""), Manifest: c.key}.Validate()
		if (c.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: key %q gave %v, want %q", name, c.key, err, c.want)
		}
	}
}
