//go:build unix

package gcs_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"testing"

	sdk "cloud.google.com/go/storage"
	"google.golang.org/api/option"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/gcs"
	"github.com/stevedore-jobs/stevedore/providers/providertest/readbench"
)

func BenchmarkRead(b *testing.B)      { headReads().Bench(b) }
func BenchmarkReadAlone(b *testing.B) { headReads().BenchAlone(b) }

// TestServeReads tests nothing: it is the server process of
// BenchmarkRead.
func TestServeReads(t *testing.T) { headReads().Serve(t) }

// headReads describes anonymous reads. With a token they would cost the
// same: it would come from memory, and nothing is signed.
func headReads() readbench.Cloud {
	return readbench.Cloud{
		Answer: map[string]string{
			"ETag": "CLDc0oS1kJEDEAE=", "X-Goog-Generation": "1763769600000000", "X-Goog-Metageneration": "1",
			"X-Goog-Hash": "crc32c=AAAAAA==,md5=1B2M2Y8AsgTpgAmY7PhCfg==", "X-Goog-Storage-Class": "STANDARD",
			"X-Goog-Stored-Content-Encoding": "identity", "X-Goog-Stored-Content-Length": "500000",
			"X-Guploader-Uploadid": "0123456789ABCDEF",
		},
		Ways: func(b *testing.B, endpoint string, client *http.Client) readbench.Ways {
			b.Helper()
			s := anonymous(endpoint, "b")
			return readbench.Ways{
				Bucket:  open(b, &gcs.Opener{Client: client}, s, providers.Secrets{}),
				SDK:     bare(b, endpoint, option.WithHTTPClient(client)),
				Default: bare(b, endpoint),
				URL: func(key string) string {
					return endpoint + "/storage/v1/b/b/o/" + url.PathEscape(key) + "?alt=media"
				},
			}
		},
	}
}

func bare(b *testing.B, endpoint string, opts ...option.ClientOption) readbench.ReadFunc {
	b.Helper()
	client, err := sdk.NewClient(b.Context(), append(opts, option.WithoutAuthentication(),
		option.WithEndpoint(endpoint+"/storage/v1/"), sdk.WithJSONReads(), sdk.WithDisabledClientMetrics())...)
	if err != nil {
		b.Fatal(err)
	}
	return func(ctx context.Context, key string) (io.ReadCloser, error) {
		return client.Bucket("b").Object(key).NewRangeReader(ctx, 0, readbench.HeadBytes)
	}
}
