package policy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers/cors"
	"github.com/stevedore-jobs/stevedore/tasks"
)

const corsMaxAge = 3600 // seconds that browsers may keep the answer to a preflight

// s3CORSRule is a rule as the S3 console takes it (documentation of
// PutBucketCors).
type s3CORSRule struct {
	AllowedHeaders []string
	AllowedMethods []string
	AllowedOrigins []string
	ExposeHeaders  []string
	MaxAgeSeconds  int
}

func newS3CORSRule(want tasks.CORS) s3CORSRule {
	want = cors.Complete(want)
	headers := append([]string{}, want.Headers...) // never null in JSON
	return s3CORSRule{
		AllowedHeaders: headers,
		AllowedMethods: want.Methods,
		AllowedOrigins: []string{want.Origin},
		ExposeHeaders:  cors.ExposedHeaders(),
		MaxAgeSeconds:  corsMaxAge,
	}
}

// gcsCORSRule is a rule as gcloud takes it (documentation of bucket
// CORS configurations). Its one list of headers holds those that a
// page may send and those that it may read.
type gcsCORSRule struct {
	Origin         []string `json:"origin"`
	Method         []string `json:"method"`
	ResponseHeader []string `json:"responseHeader"`
	MaxAgeSeconds  int      `json:"maxAgeSeconds"`
}

func newGCSCORSRule(want tasks.CORS) gcsCORSRule {
	want = cors.Complete(want)
	headers := slices.Concat(want.Headers, cors.ExposedHeaders())
	return gcsCORSRule{[]string{want.Origin}, want.Methods, headers, corsMaxAge}
}

// azureCORSCommand adds a rule to a storage account. A container has
// no rules (documentation of CORS support for Azure Storage).
func azureCORSCommand(account string, want tasks.CORS) string {
	want = cors.Complete(want)
	allow := ""
	if len(want.Headers) > 0 {
		allow = " --allowed-headers " + quoteAll(want.Headers)
	}
	return fmt.Sprintf("az storage cors add --account-name %s --services b --origins %s"+
		" --methods %s%s --exposed-headers %s --max-age %d",
		quote(account), quote(want.Origin), quoteAll(want.Methods), allow,
		quoteAll(cors.ExposedHeaders()), corsMaxAge)
}

// S3CORS tells in one line how to add a CORS rule to a bucket.
// endpoint is empty for AWS.
func S3CORS(bucket, endpoint string, want tasks.CORS) string {
	rules := []s3CORSRule{newS3CORSRule(want)}
	if isARN(bucket) { // an access point has no rules of its own
		bucket = "<bucket of the access point>"
	}
	command := fmt.Sprintf("aws s3api put-bucket-cors --bucket %s --cors-configuration %s",
		quote(bucket), quote(oneLine(map[string]any{"CORSRules": rules})))
	if endpoint != "" {
		return fmt.Sprintf("Add the rule to those of the bucket, which this would replace: "+
			"%s --endpoint-url %s (a MinIO that keeps no rules for a bucket "+
			"takes MINIO_API_CORS_ALLOW_ORIGIN=%s instead).",
			command, quote(endpoint), quote(want.Origin))
	}
	return "Add the rule to those in the S3 console under Permissions, " +
		"Cross-origin resource sharing: " + oneLine(rules) +
		" or replace all rules: " + command
}

// GCSCORS tells in one line how to add a CORS rule to a bucket.
// Google's console cannot set rules.
func GCSCORS(bucket string, want tasks.CORS) string {
	return fmt.Sprintf("Add the rule to those of the bucket, which this would replace: "+
		"echo %s > cors.json && gcloud storage buckets update %s --cors-file=cors.json",
		quote(oneLine([]gcsCORSRule{newGCSCORSRule(want)})), quote("gs://"+bucket))
}

// AzureCORS tells in one line how to add a CORS rule to a storage
// account.
func AzureCORS(account string, want tasks.CORS) string {
	return "Add a rule to the account, after taking away an older one for the same origin: " +
		azureCORSCommand(account, want)
}

// oneLine returns a value as JSON, without the escapes that only web
// pages need.
func oneLine(value any) string {
	var text strings.Builder
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return err.Error() // only of values that this package does not make
	}
	return strings.TrimSpace(text.String())
}
