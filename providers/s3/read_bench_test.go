//go:build unix

package s3_test

import (
	"context"
	"io"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/stevedore-jobs/stevedore/providers/providertest/readbench"
	"github.com/stevedore-jobs/stevedore/providers/s3"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3test"
)

func BenchmarkRead(b *testing.B)      { headReads().Bench(b) }
func BenchmarkReadAlone(b *testing.B) { headReads().BenchAlone(b) }

// TestServeReads is not a test: it is the server of BenchmarkRead.
func TestServeReads(t *testing.T) { headReads().Serve(t) }

// headReads reads through the bucket and through the SDK alone. All
// requests are signed.
func headReads() readbench.Cloud {
	return readbench.Cloud{
		Answer: map[string]string{"ETag": `"0123456789abcdef0123456789abcdef"`, "X-Amz-Request-Id": "0123456789ABCDEF"},
		Ways: func(b *testing.B, endpoint string, client *http.Client) readbench.Ways {
			b.Helper()
			s, secrets := s3test.Storage(b, endpoint, "b", s3test.Keys())
			bucket, err := (&s3.Opener{Client: client}).Open(b.Context(), s, secrets)
			if err != nil {
				b.Fatal(err)
			}
			keys := s3test.Keys()
			plain := sdk.Options{
				Region: "us-east-1", BaseEndpoint: aws.String(endpoint), UsePathStyle: true,
				Credentials: credentials.NewStaticCredentialsProvider(keys.AccessKeyID, keys.SecretAccessKey, ""),

				DisableLogOutputChecksumValidationSkipped: true,
			}
			tuned := plain
			tuned.HTTPClient = client
			tuned.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
			return readbench.Ways{
				Bucket: bucket, SDK: readWith(sdk.New(tuned)), Default: readWith(sdk.New(plain)),
				URL: func(key string) string { return endpoint + "/b/" + key },
			}
		},
	}
}

// readWith reads the head of an object with the SDK alone.
func readWith(client *sdk.Client) readbench.ReadFunc {
	return func(ctx context.Context, key string) (io.ReadCloser, error) {
		out, err := client.GetObject(ctx, &sdk.GetObjectInput{
			Bucket: aws.String("b"), Key: aws.String(key), Range: aws.String(readbench.HeadRange),
		})
		if err != nil {
			return nil, err
		}
		return out.Body, nil
	}
}
