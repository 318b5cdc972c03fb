package azure

import (
	"bytes"
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
	"golang.org/x/sync/errgroup"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
)

const (
	blockSize   = 8 << 20 // bytes; with at most 50,000 blocks a blob can have 390 GiB
	concurrency = 3       // blocks in flight; each holds blockSize in memory
	maxBlocks   = 50_000  // the service's own limit ("Scalability targets for Blob storage")
)

// Put implements providers.Bucket. A body below 8 MiB is one request; a
// longer one is sent in blocks, which become the blob all at once when they
// are committed. Blocks that never are vanish by themselves after a week, and
// need no right to remove.
func (b *bucket) Put(ctx context.Context, key string, body io.Reader, opts providers.WriteOptions) (providers.Object, error) {
	from := driver.NewSource(ctx, body)
	up := upload{client: b.container.NewBlockBlobClient(key), opts: opts}
	o, err := up.run(ctx, from)
	if err == nil {
		o.Key, o.Size = key, from.N
		return o, nil
	}
	if from.Failed != nil { // perhaps another bucket's error, which stays as it is
		return providers.Object{}, providers.Failed("put", b.storage.Bucket, key, from.Failed)
	}
	e := b.fault("put", key, err)
	if opts.IfMatch != "" && e.Code == "BlobNotFound" {
		e.Kind = providers.Conflict // the blob that should have been replaced is gone
	}
	return providers.Object{}, e
}

// upload is one Put.
type upload struct {
	client *blockblob.Client
	opts   providers.WriteOptions
}

func (u upload) run(ctx context.Context, from io.Reader) (providers.Object, error) {
	first, more, err := nextBlock(from)
	if err != nil {
		return providers.Object{}, err
	}
	if !more {
		out, err := u.client.Upload(ctx, content(first), &blockblob.UploadOptions{HTTPHeaders: u.headers(), AccessConditions: u.conditions()})
		return objectOf("", nil, out.ETag, out.LastModified), err
	}
	ids, err := u.stage(ctx, first, from)
	if err != nil {
		return providers.Object{}, err
	}
	out, err := u.client.CommitBlockList(ctx, ids, &blockblob.CommitBlockListOptions{HTTPHeaders: u.headers(), AccessConditions: u.conditions()})
	return objectOf("", nil, out.ETag, out.LastModified), err
}

// stage sends the blocks, several at a time, and stops reading as soon as one
// fails.
func (u upload) stage(ctx context.Context, block []byte, from io.Reader) (ids []string, err error) {
	group, staging := errgroup.WithContext(ctx)
	group.SetLimit(concurrency)
	// The name keeps two writers of one key from using each other's blocks.
	name := rand.Text()
	for more := true; len(block) > 0 && staging.Err() == nil; {
		if len(ids) == maxBlocks {
			err = tooLarge()
			break
		}
		id := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s-%05d", name, len(ids)))
		ids = append(ids, id)
		data := block
		group.Go(func() error {
			_, err := u.client.StageBlock(staging, id, content(data), nil)
			return err
		})
		if !more {
			break
		}
		if block, more, err = nextBlock(from); err != nil {
			break
		}
	}
	// A body's failure comes before that of a request: it is what the caller
	// can mend.
	return ids, errors.Join(err, group.Wait())
}

// nextBlock reads a block, and tells whether more may follow. Memory grows
// with what is there: most bodies are small.
func nextBlock(from io.Reader) (block []byte, more bool, err error) {
	var buffer bytes.Buffer
	n, err := io.CopyN(&buffer, from, blockSize)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return buffer.Bytes(), n == blockSize, err
}

func content(data []byte) io.ReadSeekCloser { return streaming.NopCloser(bytes.NewReader(data)) }

func (u upload) headers() *blob.HTTPHeaders {
	contentType := u.opts.ContentType
	if contentType == "" {
		contentType = "application/octet-stream"
	}
	return &blob.HTTPHeaders{BlobContentType: &contentType}
}

func (u upload) conditions() *blob.AccessConditions {
	if !u.opts.IfAbsent {
		return ifMatch(u.opts.IfMatch)
	}
	conditions := ifMatch(u.opts.IfMatch)
	if conditions == nil {
		conditions = &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{}}
	}
	anyETag := azcore.ETagAny
	conditions.ModifiedAccessConditions.IfNoneMatch = &anyETag
	return conditions
}

func tooLarge() error {
	return &providers.Error{Kind: providers.Invalid, Code: "BlockCountExceedsLimit", Detail: "more than 390 GiB", Fix: "Write a smaller object."}
}
