package s3

import (
	"cmp"
	"context"
	"encoding/xml"
	"net/http"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/stevedore-jobs/stevedore/deploy/emulators/order"
	"github.com/stevedore-jobs/stevedore/deploy/emulators/web"
)

// orders lets buckets list their keys in another order than by bytes,
// as other servers do. The S3 server checks a request first: only its
// answer is replaced.
type orders struct {
	buckets Buckets
	of      web.Table[order.Compare] // by bucket
}

// set is the control of orders. See Gate.Register.
func (o *orders) set(w http.ResponseWriter, r *http.Request) {
	compare, err := order.Named(r.PathValue("order"))
	if err == nil {
		o.of.Set(r.PathValue("bucket"), compare)
	}
	web.Answer(w, struct{}{}, err)
}

// result is a page of ListObjectsV2.
type result struct {
	XMLName   xml.Name `xml:"ListBucketResult"`
	Name      string
	Prefix    string
	MaxKeys   int
	KeyCount  int
	Truncated bool   `xml:"IsTruncated"`
	Next      string `xml:"NextContinuationToken,omitempty"`
	Contents  []content
}

type content struct {
	Key          string
	LastModified string
	ETag         string
	Size         int64
	StorageClass string
}

// rewrite replaces a listing by one in the bucket's order.
func (o *orders) rewrite(resp *http.Response) error {
	c := parseCall(resp.Request)
	compare, ok := o.of.Get(c.bucket)
	if !ok || c.op != "list" || resp.StatusCode != http.StatusOK {
		return nil
	}
	all, objects, err := o.buckets.list(resp.Request.Context(), c.bucket)
	if err != nil {
		return err
	}
	query := resp.Request.URL.Query()
	most, _ := strconv.Atoi(query.Get("max-keys"))
	page := compare.Select(all, order.Range{
		Prefix: query.Get("prefix"),
		After:  cmp.Or(query.Get("continuation-token"), query.Get("start-after")),
		Max:    most,
	})
	answer := result{
		Name: c.bucket, Prefix: query.Get("prefix"), MaxKeys: cmp.Or(most, 1000),
		KeyCount: len(page.Entries), Truncated: page.More,
	}
	for _, e := range page.Entries {
		answer.Contents = append(answer.Contents, objects[e.Key])
		if page.More {
			answer.Next = e.Key
		}
	}
	body, err := xml.Marshal(answer)
	web.Replace(resp, append([]byte(xml.Header), body...))
	return err
}

// list returns all objects of a bucket.
func (b Buckets) list(
	ctx context.Context, bucket string,
) (all []order.Entry, objects map[string]content, err error) {
	objects = map[string]content{}
	pages := s3.NewListObjectsV2Paginator(b.client,
		&s3.ListObjectsV2Input{Bucket: aws.String(bucket)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, nil, err
		}
		for _, o := range page.Contents {
			key := aws.ToString(o.Key)
			all = append(all, order.Entry{Key: key})
			objects[key] = content{
				Key: key, ETag: aws.ToString(o.ETag), Size: aws.ToInt64(o.Size),
				LastModified: aws.ToTime(o.LastModified).UTC().Format("2006-01-02T15:04:05.000Z"),
				StorageClass: "STANDARD",
			}
		}
	}
	return all, objects, nil
}
