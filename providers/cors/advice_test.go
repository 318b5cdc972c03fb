package cors_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers/cors"
	"github.com/stevedore-jobs/stevedore/tasks"
)

func TestAdvice(t *testing.T) {
	t.Parallel()
	want := tasks.CORS{Origin: app, Headers: []string{"Range", "X-It's"}}
	for name, c := range map[string]struct {
		advice string
		holds  []string
	}{
		"s3": {cors.S3("photos", "", want), []string{
			`[{"AllowedHeaders":["range","x-it's"],"AllowedMethods":["GET","HEAD"],"AllowedOrigins":["https://app.example"],"ExposeHeaders":["Content-Length","Content-Range","ETag"],"MaxAgeSeconds":3600}]`,
			`aws s3api put-bucket-cors --bucket 'photos' --cors-configuration '{"CORSRules":[{"AllowedHeaders":["range","x-it'\''s"]`,
		}},
		"s3 elsewhere": {cors.S3("photos", "https://minio.example:9000", want), []string{
			`--endpoint-url 'https://minio.example:9000'`, `MINIO_API_CORS_ALLOW_ORIGIN='https://app.example'`,
		}},
		"gcs": {cors.GCS("photos", want), []string{
			`"origin":["https://app.example"],"responseHeader":["range","x-it'\''s","Content-Length","Content-Range","ETag"]}]' > cors.json`,
			`gcloud storage buckets update 'gs://photos' --cors-file=cors.json`,
		}},
		"azure": {cors.Azure("account", want), []string{
			`az storage cors add --account-name 'account' --services b --methods 'GET' 'HEAD' --origins 'https://app.example' --allowed-headers 'range,x-it'\''s'`,
			`--exposed-headers 'Content-Length,Content-Range,ETag' --max-age 3600`,
		}},
	} {
		for _, part := range c.holds {
			if !strings.Contains(c.advice, part) {
				t.Errorf("%s: no %s in\n%s", name, part, c.advice)
			}
		}
	}
	if want.Headers[0] != "Range" {
		t.Error("the payload was changed")
	}
}

// What is pasted into a console must be JSON.
func TestAdvice_IsJSON(t *testing.T) {
	t.Parallel()
	text := cors.S3("photos", "", tasks.CORS{Origin: app, Headers: []string{"accept"}})
	start, end := strings.Index(text, "[{"), strings.Index(text, "}]")
	var rules []map[string]any
	if err := json.Unmarshal([]byte(text[start:end+2]), &rules); err != nil || len(rules) != 1 || rules[0]["AllowedHeaders"] == nil {
		t.Errorf("%v in %s", err, text)
	}
}
