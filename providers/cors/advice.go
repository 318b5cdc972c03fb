package cors

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/stevedore-jobs/stevedore/tasks"
)

const maxAge = 3600 // seconds that browsers may keep the answer to a preflight

// S3 advises for a bucket of AWS, or of a server at endpoint when that is not
// empty. The rule is in the form of the S3 console, the command in that of
// the AWS CLI (documentation of PutBucketCors).
func S3(bucket, endpoint string, want tasks.CORS) string {
	want = complete(want)
	rules := []map[string]any{{
		"AllowedOrigins": []string{want.Origin}, "AllowedMethods": want.Methods, "AllowedHeaders": orNone(want.Headers),
		"ExposeHeaders": exposed(), "MaxAgeSeconds": maxAge,
	}}
	command := fmt.Sprintf("aws s3api put-bucket-cors --bucket %s --cors-configuration %s", quote(bucket), quote(compact(map[string]any{"CORSRules": rules})))
	if endpoint != "" {
		return "Add the rule to those of the bucket, which this would replace: " + command + " --endpoint-url " + quote(endpoint) +
			" (a MinIO that keeps no rules for a bucket takes MINIO_API_CORS_ALLOW_ORIGIN=" + quote(want.Origin) + " instead)."
	}
	return "Add the rule to those in the S3 console under Permissions, Cross-origin resource sharing: " + compact(rules) +
		" or replace all rules: " + command
}

// GCS advises for a bucket of Google Cloud Storage, whose console cannot set
// rules. Its one list of headers stands for those that a page may send and
// those that it may read (documentation of bucket CORS configurations).
func GCS(bucket string, want tasks.CORS) string {
	want = complete(want)
	rules := []map[string]any{{
		"origin": []string{want.Origin}, "method": want.Methods,
		"responseHeader": append(want.Headers, exposed()...), "maxAgeSeconds": maxAge,
	}}
	return fmt.Sprintf("Add the rule to those of the bucket, which this would replace: echo %s > cors.json && gcloud storage buckets update %s --cors-file=cors.json",
		quote(compact(rules)), quote("gs://"+bucket))
}

// Azure advises for a storage account. Its rules are the account's; a
// container has none (documentation of CORS support for Azure Storage).
func Azure(account string, want tasks.CORS) string {
	want = complete(want)
	allow := ""
	if len(want.Headers) > 0 {
		allow = " --allowed-headers " + quote(strings.Join(want.Headers, ","))
	}
	return fmt.Sprintf("Add a rule to the account, after taking away an older one for the same origin: az storage cors add --account-name %s"+
		" --services b --methods %s --origins %s%s --exposed-headers %s --max-age %d",
		quote(account), words(want.Methods), quote(want.Origin), allow, quote(strings.Join(exposed(), ",")), maxAge)
}

func orNone(list []string) []string { return append([]string{}, list...) }

// compact is JSON on one line, without the escapes that only web pages need.
func compact(v any) string {
	var text strings.Builder
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil { // strings and numbers always encode
		return ""
	}
	return strings.TrimSpace(text.String())
}

// quote makes one word of a POSIX shell.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

func words(items []string) string {
	quoted := make([]string, len(items))
	for i, item := range items {
		quoted[i] = quote(item)
	}
	return strings.Join(quoted, " ")
}
