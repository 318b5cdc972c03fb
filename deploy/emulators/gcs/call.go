package gcs

import (
	"net/http"
	"net/url"
	"strings"
)

// call is what a request to a bucket asks for.
type call struct {
	op     string // list, get, create, continue, delete, stat, test or bucket
	bucket string
	object string
	xml    bool // whether it is of the XML API, which words errors differently
}

// parseCall reads a request of the JSON API or of the XML API. It
// reports false if the request names no bucket.
func parseCall(r *http.Request) (call, bool) {
	path := r.URL.EscapedPath()
	upload := strings.HasPrefix(path, "/upload/")
	rest, isJSON := strings.CutPrefix(strings.TrimPrefix(path, "/upload"), "/storage/v1/b/")
	if !isJSON {
		bucket, object, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
		c := call{op: "get", bucket: unescape(bucket), object: unescape(object), xml: true}
		return c, bucket != ""
	}

	bucket, rest, _ := strings.Cut(rest, "/")
	c := call{bucket: unescape(bucket), object: unescape(strings.TrimPrefix(rest, "o/"))}
	query := r.URL.Query()
	switch {
	case upload && query.Has("upload_id"):
		c.op, c.object = "continue", query.Get("name")
	case upload:
		c.op, c.object = "create", query.Get("name")
	case rest == "iam/testPermissions":
		c.op = "test"
	case rest == "":
		c.op = "bucket"
	case rest == "o":
		c.op = "list"
	case r.Method == http.MethodDelete:
		c.op = "delete"
	case query.Get("alt") == "media":
		c.op = "get"
	default:
		c.op = "stat"
	}
	return c, true
}

// writes reports whether the request changes objects.
func (c call) writes() bool {
	return c.op == "create" || c.op == "continue" || c.op == "delete"
}

// reads reports whether the request reads one object.
func (c call) reads() bool { return c.op == "get" || c.op == "stat" }

func unescape(segment string) string {
	plain, err := url.PathUnescape(segment)
	if err != nil {
		return segment
	}
	return plain
}
