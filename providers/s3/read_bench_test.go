//go:build unix

package s3_test

import (
	"context"
	"io"
	"net/http"
	"testing"

	core "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/stevedore-jobs/stevedore/providers/providertest"
	"github.com/stevedore-jobs/stevedore/providers/s3"
)

func BenchmarkRead(b *testing.B)      { headReads().Bench(b) }
func BenchmarkReadAlone(b *testing.B) { headReads().BenchAlone(b) }

// TestServeReads is no test: it is the server of BenchmarkRead.
func TestServeReads(t *testing.T) { headReads().Serve(t) }

// headReads are signed, through the bucket and the SDK alike.
func headReads() providertest.Reads {
	return providertest.Reads{
		Answer: map[string]string{"ETag": `"0123456789abcdef0123456789abcdef"`, "X-Amz-Request-Id": "0123456789ABCDEF"},
		Ways: func(b *testing.B, endpoint string, client *http.Client) providertest.ReadWays {
			b.Helper()
			s, secrets := storage(b, endpoint, "b", providertest.Keys{AccessKeyID: "AKIA", SecretAccessKey: "secret"})
			bucket, err := (&s3.Opener{Client: client}).Open(b.Context(), s, secrets)
			if err != nil {
				b.Fatal(err)
			}
			own := sdk.Options{
				Region: "us-east-1", BaseEndpoint: core.String(endpoint), UsePathStyle: true,
				Credentials: credentials.NewStaticCredentialsProvider("AKIA", "secret", ""),

				DisableLogOutputChecksumValidationSkipped: true,
			}
			tuned := own
			tuned.HTTPClient, tuned.ResponseChecksumValidation = client, core.ResponseChecksumValidationWhenRequired
			return providertest.ReadWays{
				Bucket: bucket, SDK: bare(sdk.New(tuned)), Default: bare(sdk.New(own)),
				URL: func(key string) string { return endpoint + "/b/" + key },
			}
		},
	}
}

func bare(client *sdk.Client) providertest.ReadFunc {
	return func(ctx context.Context, key string) (io.ReadCloser, error) {
		out, err := client.GetObject(ctx, &sdk.GetObjectInput{
			Bucket: core.String("b"), Key: core.String(key), Range: core.String(providertest.HeadRange),
		})
		if err != nil {
			return nil, err
		}
		return out.Body, nil
	}
}
