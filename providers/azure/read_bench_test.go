//go:build unix

package azure_test

import (
	"context"
	"io"
	"net/http"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	sdk "github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/stevedore-jobs/stevedore/providers/azure"
	"github.com/stevedore-jobs/stevedore/providers/providertest/readbench"
	"github.com/stevedore-jobs/stevedore/tasks"
)

func BenchmarkRead(b *testing.B)      { headReads().Bench(b) }
func BenchmarkReadAlone(b *testing.B) { headReads().BenchAlone(b) }

// TestServeReads tests nothing: it is the server process of
// BenchmarkRead.
func TestServeReads(t *testing.T) { headReads().Serve(t) }

// headReads describes reads that are signed with an account key, by the
// bucket and by the SDK.
func headReads() readbench.Cloud {
	return readbench.Cloud{
		Answer: map[string]string{
			"ETag": `"0x8DE2955B1E4C000"`, "X-Ms-Request-Id": requestID, "X-Ms-Version": "2026-02-06",
			"X-Ms-Blob-Type": "BlockBlob", "X-Ms-Creation-Time": "Sun, 22 Nov 2026 00:00:00 GMT",
			"X-Ms-Lease-State": "available", "X-Ms-Lease-Status": "unlocked", "X-Ms-Server-Encrypted": "true",
			"Accept-Ranges": "bytes",
		},
		Ways: func(b *testing.B, endpoint string, client *http.Client) readbench.Ways {
			b.Helper()
			service := endpoint + "/" + unverified().Account
			s, secrets := storage(b, tasks.AuthAccountKey, service, "pictures", developmentKey)
			bucket, err := (&azure.Opener{Client: client}).Open(b.Context(), s, secrets)
			if err != nil {
				b.Fatal(err)
			}
			return readbench.Ways{
				Bucket:  bucket,
				SDK:     bare(b, service, policy.ClientOptions{Transport: client}),
				Default: bare(b, service, policy.ClientOptions{}),
				URL:     func(key string) string { return service + "/pictures/" + key },
			}
		},
	}
}

func bare(b *testing.B, service string, opts policy.ClientOptions) readbench.ReadFunc {
	b.Helper()
	key, err := container.NewSharedKeyCredential(unverified().Account, developmentKey)
	if err != nil {
		b.Fatal(err)
	}
	client, err := container.NewClientWithSharedKeyCredential(service+"/pictures", key, &container.ClientOptions{ClientOptions: opts})
	if err != nil {
		b.Fatal(err)
	}
	return func(ctx context.Context, key string) (io.ReadCloser, error) {
		out, err := client.NewBlobClient(key).DownloadStream(ctx, &sdk.DownloadStreamOptions{Range: sdk.HTTPRange{Count: readbench.HeadBytes}})
		if err != nil {
			return nil, err
		}
		return out.Body, nil
	}
}
