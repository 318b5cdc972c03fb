package azure

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/azure/azerror"
	"github.com/stevedore-jobs/stevedore/providers/azure/client"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/tasks/guard"
)

const (
	blockSize   = 8 << 20 // bytes; maxBlocks of them are 390 GiB
	maxInFlight = 3       // blocks; each takes blockSize of memory
	// maxBlocks is the service's own limit ("Scalability targets for Blob
	// storage").
	maxBlocks = 50_000

	defaultContentType = "application/octet-stream"
)

// Put implements providers.Bucket. A body below 8 MiB is one request. A
// longer one is sent in blocks. They become the blob all at once, when
// they are committed. Azure removes blocks that are never committed after
// a week.
func (b *bucket) Put(
	ctx context.Context, key string, body io.Reader, opts providers.WriteOptions,
) (providers.Object, error) {
	source := driver.NewSource(ctx, body)
	up := upload{client: b.client.NewBlockBlobClient(key), opts: opts}
	o, err := up.run(ctx, source)
	if err == nil {
		err = checkObject(o)
	}
	switch {
	case err == nil:
		o.Key, o.Size = key, source.N
		return o, nil
	case source.Failed != nil: // may be another bucket's error, which stays as it is
		return providers.Object{}, providers.Failed("put", b.storage.Bucket, key, source.Failed)
	}
	e := b.errors.Wrap("put", key, err)
	if opts.IfMatch != "" && e.Code == azerror.CodeBlobNotFound {
		e.Kind = providers.Conflict // the blob to replace is gone
	}
	return providers.Object{}, e
}

// upload is one Put.
type upload struct {
	client *blockblob.Client
	opts   providers.WriteOptions
}

func (u upload) run(ctx context.Context, body io.Reader) (providers.Object, error) {
	first, more, err := readBlock(body)
	if err != nil {
		return providers.Object{}, err
	}
	if !more {
		out, err := u.client.Upload(ctx, blockBody(first), &blockblob.UploadOptions{
			HTTPHeaders: u.headers(), AccessConditions: u.conditions(),
		})
		return objectOf("", nil, out.ETag, out.LastModified), err
	}

	ids, err := u.stage(ctx, first, body)
	if err != nil {
		return providers.Object{}, err
	}
	out, err := u.client.CommitBlockList(ctx, ids, &blockblob.CommitBlockListOptions{
		HTTPHeaders: u.headers(), AccessConditions: u.conditions(),
	})
	return objectOf("", nil, out.ETag, out.LastModified), err
}

// stage sends the first block and those that follow in body, several at a
// time. It stops reading as soon as one fails.
func (u upload) stage(
	ctx context.Context, block []byte, body io.Reader,
) (ids []string, err error) {
	group, staging := guard.WithContext(ctx)
	group.SetLimit(maxInFlight)
	// The name is random, so two writers of one key never use each
	// other's blocks.
	name := rand.Text()
	for more := true; len(block) > 0 && staging.Err() == nil; {
		if len(ids) == maxBlocks {
			err = tooLarge()
			break
		}
		id := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s-%05d", name, len(ids)))
		ids = append(ids, id)
		content := blockBody(block)
		group.Go(func() error {
			_, err := u.client.StageBlock(staging, id, content, nil)
			return err
		})
		if !more {
			break
		}
		if block, more, err = readBlock(body); err != nil {
			break
		}
	}
	// The body's failure comes first: it is the one that the caller can
	// correct.
	err = errors.Join(err, group.Wait())
	guard.Rethrow(err)
	return ids, err
}

// readBlock reads the next block of a body. more is false at the body's
// end. The buffer grows with the content, because most bodies are small.
func readBlock(body io.Reader) (block []byte, more bool, err error) {
	var buffer bytes.Buffer
	n, err := io.CopyN(&buffer, body, blockSize)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return buffer.Bytes(), n == blockSize, err
}

func blockBody(content []byte) io.ReadSeekCloser {
	return streaming.NopCloser(bytes.NewReader(content))
}

func (u upload) headers() *blob.HTTPHeaders {
	contentType := cmp.Or(u.opts.ContentType, defaultContentType)
	return &blob.HTTPHeaders{BlobContentType: &contentType}
}

func (u upload) conditions() *blob.AccessConditions {
	conditions := client.IfMatch(u.opts.IfMatch)
	if !u.opts.IfAbsent {
		return conditions
	}
	if conditions == nil {
		conditions = &blob.AccessConditions{
			ModifiedAccessConditions: &blob.ModifiedAccessConditions{},
		}
	}
	anyETag := azcore.ETagAny
	conditions.ModifiedAccessConditions.IfNoneMatch = &anyETag
	return conditions
}

func tooLarge() error {
	return &providers.Error{
		Kind: providers.Invalid, Code: "BlockCountExceedsLimit",
		Detail: "more than 390 GiB", Fix: "Write a smaller object.",
	}
}
