package policy_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers/policy"
	"github.com/stevedore-jobs/stevedore/tasks"
)

func TestCORS(t *testing.T) {
	t.Parallel()
	want := tasks.CORS{Origin: "https://app.example", Headers: []string{"Range", "X-It's"}}
	for name, c := range map[string]struct {
		advice string
		holds  []string
	}{
		"s3": {policy.S3CORS("photos", "", want), []string{
			`[{"AllowedHeaders":["range","x-it's"],"AllowedMethods":["GET","HEAD"],"AllowedOrigins":["https://app.example"],"ExposeHeaders":["Content-Length","Content-Range","ETag"],"MaxAgeSeconds":3600}]`,
			`aws s3api put-bucket-cors --bucket photos --cors-configuration '{"CORSRules":[{"AllowedHeaders":["range","x-it'\''s"]`,
		}},
		"s3 elsewhere": {policy.S3CORS("photos", "https://minio.example:9000", want), []string{
			`--endpoint-url https://minio.example:9000`, `MINIO_API_CORS_ALLOW_ORIGIN=https://app.example`,
		}},
		"gcs": {policy.GCSCORS("photos", want), []string{
			`[{"origin":["https://app.example"],"method":["GET","HEAD"],"responseHeader":["range","x-it'\''s","Content-Length","Content-Range","ETag"],"maxAgeSeconds":3600}]' > cors.json`,
			`gcloud storage buckets update gs://photos --cors-file=cors.json`,
		}},
		"azure": {policy.AzureCORS("account", want), []string{
			`az storage cors add --account-name account --services b --origins https://app.example --methods GET HEAD --allowed-headers range 'x-it'\''s'`,
			`--exposed-headers Content-Length Content-Range ETag --max-age 3600`,
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

// The rule to paste into a console must be JSON.
func TestCORS_IsJSON(t *testing.T) {
	t.Parallel()
	text := policy.S3CORS("photos", "", tasks.CORS{Origin: "https://app.example", Headers: []string{"accept"}})
	start, end := strings.Index(text, "[{"), strings.Index(text, "}]")
	var rules []map[string]any
	if err := json.Unmarshal([]byte(text[start:end+2]), &rules); err != nil || len(rules) != 1 || rules[0]["AllowedHeaders"] == nil {
		t.Errorf("%v in %s", err, text)
	}
}
