package s3

import (
	"net/http"
	"strings"
)

// call is what a request asks for, and who asks.
type call struct {
	// op is list, versions, get, stat, put, delete, create, part,
	// complete, abort or other. The four before the last are those of
	// a multipart upload.
	op          string
	bucket, key string
	accessKey   string // empty for an anonymous request
	region      string // in the scope of the signature
}

// parseCall reads a request in path style.
func parseCall(r *http.Request) call {
	var c call
	c.bucket, c.key, _ = strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	_, scope, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	if parts := strings.Split(scope, "/"); len(parts) > 2 {
		c.accessKey, c.region = parts[0], parts[2]
	}
	if c.key == "" {
		c.op = bucketOp(r)
	} else {
		c.op = objectOp(r)
	}
	return c
}

func bucketOp(r *http.Request) string {
	query := r.URL.Query()
	switch {
	case r.Method != http.MethodGet:
		return "other"
	case query.Has("versions"):
		return "versions"
	case query.Has("list-type"):
		return "list"
	}
	return "other"
}

func objectOp(r *http.Request) string {
	query := r.URL.Query()
	upload := query.Has("uploadId")
	switch {
	case r.Method == http.MethodPost && query.Has("uploads"):
		return "create"
	case r.Method == http.MethodPost && upload:
		return "complete"
	case r.Method == http.MethodPut && upload:
		return "part"
	case r.Method == http.MethodDelete && upload:
		return "abort"
	}
	switch r.Method {
	case http.MethodGet:
		return "get"
	case http.MethodHead:
		return "stat"
	case http.MethodPut:
		return "put"
	case http.MethodDelete:
		return "delete"
	}
	return "other"
}
