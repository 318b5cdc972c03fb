package s3

import (
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/stevedore-jobs/stevedore/deploy/emulators/gateway"
	"github.com/stevedore-jobs/stevedore/deploy/emulators/web"
)

// Buckets creates buckets and counts their open uploads, as the root
// account.
type Buckets struct{ client *s3.Client }

// NewBuckets returns the control of a gateway's buckets.
func NewBuckets(g *gateway.Gateway) Buckets {
	root := g.Root()
	return Buckets{client: s3.New(s3.Options{
		Region:       gateway.Region,
		BaseEndpoint: aws.String("http://" + g.Addr()),
		UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(
			root.AccessKeyID, root.SecretAccessKey, ""),
	})}
}

// Register adds the control of buckets:
//
//	POST   /buckets/NAME   makes a bucket
//	GET    /uploads/NAME   answers how many multipart uploads are open in a bucket
func (b Buckets) Register(mux *http.ServeMux) {
	mux.HandleFunc("POST /buckets/{name}", b.create)
	mux.HandleFunc("GET /uploads/{name}", b.countUploads)
}

func (b Buckets) create(w http.ResponseWriter, r *http.Request) {
	name := aws.String(r.PathValue("name"))
	_, err := b.client.CreateBucket(r.Context(), &s3.CreateBucketInput{Bucket: name})
	web.Answer(w, struct{}{}, err)
}

func (b Buckets) countUploads(w http.ResponseWriter, r *http.Request) {
	name := aws.String(r.PathValue("name"))
	out, err := b.client.ListMultipartUploads(
		r.Context(), &s3.ListMultipartUploadsInput{Bucket: name})
	var count struct {
		Open int `json:"open"`
	}
	if err == nil {
		count.Open = len(out.Uploads)
	}
	web.Answer(w, count, err)
}
