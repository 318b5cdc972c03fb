package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// control is the endpoint with which tests prepare the store:
//
//	POST   /buckets/NAME    makes a bucket
//	GET    /uploads/NAME    how many multipart uploads are open in a bucket
//	POST   /users/NAME      makes a user; the body is its IAM policy, the answer its keys
//	DELETE /users/NAME
//
// Faults, roles and Google Cloud Storage have their own lines beside their
// code.
type control struct {
	s3     *s3.Client
	iam    iamClient
	url    string
	server *http.Server
	gate   *s3Gate
	env    string // lines about servers that the control started

	mu    sync.Mutex
	users map[string]keys // by name
}

func startControl(ctx context.Context, g *gateway) (*control, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	gate, err := startS3Gate(ctx, g.addr)
	if err != nil {
		return nil, err
	}
	c := &control{
		gate: gate, s3: s3.New(s3.Options{
			Region: region, BaseEndpoint: aws.String("http://" + g.addr), UsePathStyle: true,
			Credentials: credentials.NewStaticCredentialsProvider(g.access, g.secret, ""),
		}),
		iam: newIAMClient(g), url: "http://" + l.Addr().String(), users: map[string]keys{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /buckets/{name}", c.createBucket)
	mux.HandleFunc("GET /uploads/{name}", c.countUploads)
	mux.HandleFunc("POST /users/{name}", c.createUser)
	mux.HandleFunc("DELETE /users/{name}", c.deleteUser)
	gate.register(mux)
	c.addSTS(ctx, g, mux)
	if err := c.addGCS(ctx, mux); err != nil {
		return nil, err
	}
	c.server = &http.Server{Handler: mux, BaseContext: func(net.Listener) context.Context { return ctx }}
	go func() { _ = c.server.Serve(l) }() // ends with stop
	return c, nil
}

func (c *control) stop() { _ = c.server.Close() }

func (c *control) createBucket(w http.ResponseWriter, r *http.Request) {
	_, err := c.s3.CreateBucket(r.Context(), &s3.CreateBucketInput{Bucket: aws.String(r.PathValue("name"))})
	answer(w, struct{}{}, err)
}

func (c *control) countUploads(w http.ResponseWriter, r *http.Request) {
	out, err := c.s3.ListMultipartUploads(r.Context(), &s3.ListMultipartUploadsInput{Bucket: aws.String(r.PathValue("name"))})
	var count struct {
		Open int `json:"open"`
	}
	if err == nil {
		count.Open = len(out.Uploads)
	}
	answer(w, count, err)
}

func (c *control) createUser(w http.ResponseWriter, r *http.Request) {
	policy, err := io.ReadAll(r.Body)
	var k keys
	if err == nil {
		k, err = c.iam.createUser(r.Context(), r.PathValue("name"), string(policy))
	}
	if err == nil {
		c.mu.Lock()
		c.users[r.PathValue("name")] = k
		c.mu.Unlock()
	}
	answer(w, k, err)
}

func (c *control) deleteUser(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	c.mu.Lock()
	id := c.users[name].AccessKeyID
	delete(c.users, name)
	c.mu.Unlock()
	answer(w, struct{}{}, c.iam.deleteUser(r.Context(), name, id))
}

func answer(w http.ResponseWriter, value any, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value)
}
