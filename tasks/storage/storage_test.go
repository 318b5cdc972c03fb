package storage_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/tasks/fields"
	"github.com/stevedore-jobs/stevedore/tasks/storage"
)

// Each text holds every field of a form, as users fill it in. The forms
// are those of CVAT for its three clouds and of FastLabel.
func TestFormsOfLabellingTools(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"CVAT, S3 with a key": `{"display_name": "写真 (本番)", "description": "二行の\n説明", "provider": "s3", "bucket": "my-bucket",
			"auth": {"method": "access-key", "access_key_id": "AKIAEXAMPLE", "secret_access_key": "env:SECRET"},
			"region": "ap-northeast-1", "prefix": "images/", "manifests": ["images/manifest.jsonl", "manifest.jsonl"]}`,
		"CVAT, S3 anonymous": `{"display_name": "d", "description": "", "provider": "s3", "bucket": "b",
			"auth": {"method": "anonymous"}, "region": "", "prefix": "cats/im", "manifests": []}`,
		"CVAT, GCS with a key": `{"display_name": "d", "description": "d", "provider": "gcs", "bucket": "my_bucket.example",
			"auth": {"method": "key-file", "key_file": "file:/run/secrets/key.json"},
			"prefix": "images/", "project": "my-project-1", "location": "asia-northeast1", "manifests": ["manifest.jsonl"]}`,
		"CVAT, GCS with the server's key": `{"display_name": "d", "description": "d", "provider": "gcs", "bucket": "b",
			"auth": {"method": "worker-identity"}, "prefix": "", "project": "p", "location": "US", "manifests": []}`,
		"CVAT, GCS anonymous": `{"display_name": "d", "provider": "gcs", "bucket": "b", "auth": {"method": "anonymous"},
			"project": "p", "location": "EU"}`,
		"CVAT, Azure with a token": `{"display_name": "d", "description": "d", "provider": "azure", "bucket": "container",
			"account": "myaccount", "auth": {"method": "sas", "sas_token": "env:SECRET"},
			"prefix": "images/", "manifests": ["manifest.jsonl"]}`,
		"CVAT, Azure with a connection string": `{"display_name": "d", "provider": "azure", "bucket": "container",
			"auth": {"method": "connection-string", "connection_string": "env:SECRET"}}`,
		"CVAT, Azure anonymous": `{"display_name": "d", "provider": "azure", "bucket": "container",
			"account": "myaccount", "auth": {"method": "anonymous"}}`,
		"FastLabel": `{"provider": "s3", "bucket": "my-bucket", "region": "ap-northeast-1",
			"auth": {"method": "assume-role", "role_arn": "arn:aws:iam::000000000000:role/FastLabelIntegrationRole", "external_id": "e-1"}}`,
	} {
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.DisallowUnknownFields()
		var s storage.Storage
		if err := errors.Join(decoder.Decode(&s), s.Validate()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTextsForPeople(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		display, description string
		want                 []string
	}{
		"none":              {"", "", nil},
		"any language":      {"倉庫 😀 é", "a\tb\r\nc\u2028d", nil},
		"longest":           {strings.Repeat("倉", 255), strings.Repeat("倉", 4096), nil},
		"too long":          {strings.Repeat("a", 256), strings.Repeat("a", 4097), []string{"display_name: longer than 255 characters", "description: longer than 4096 characters"}},
		"lines":             {"a\nb", "", []string{"display_name: must be one line"}},
		"terminal commands": {"\x1b[2J", "\u009b2J", []string{"display_name: has a control character", "description: has a control character"}},
		"no UTF-8":          {"\xff", "\xff", []string{"display_name: is not UTF-8", "description: is not UTF-8"}},
	} {
		s := storage.Storage{Provider: "mem", Bucket: "b", DisplayName: c.display, Description: c.description}
		var got []string
		var invalid *fields.InvalidError
		if errors.As(s.Validate(), &invalid) {
			for _, f := range invalid.Fields {
				got = append(got, f.String())
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestName(t *testing.T) {
	t.Parallel()
	for want, s := range map[string]storage.Storage{
		"s3://my-bucket":              {Provider: "s3", Bucket: "my-bucket", Prefix: "cats/", Region: "r"},
		"s3://b@minio.example:9000":   {Provider: "s3", Bucket: "b", Endpoint: "https://minio.example:9000"},
		"s3://c":                      {Provider: "s3", Bucket: "c", Endpoint: "::"},
		"azure://account/container":   {Provider: "azure", Account: "account", Bucket: "container"},
		"file:///srv/images":          {Provider: "file", Bucket: "/srv/images/"},
		"x-mine://any bucket/of/mine": {Provider: "x-mine", Bucket: "any bucket/of/mine"},
	} {
		if got, of := s.Name(), storage.NameOf(s.ID()); got != want || of != want {
			t.Errorf("%q, %q, want %q", got, of, want)
		}
	}
}
