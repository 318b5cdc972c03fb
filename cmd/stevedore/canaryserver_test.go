package main

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/demo/dataset"
)

// gossip is an S3 server that tells in its errors all that it was sent, and
// the secret behind it. What else it does is in the name of the bucket.
type gossip struct{ objects map[string][]byte }

// The buckets.
const (
	bucketDenied = "denied" // nothing is allowed
	bucketShut   = "shut"   // it can be listed, and nothing read
	bucketHalf   = "half"   // only the image that refused names may not be read
	bucketBroken = "broken" // the server fails
	bucketMoved  = "moved"  // it names a region in a header
	bucketPage   = "page"   // it answers with a page of text
	bucketLong   = "long"   // its messages are too long to keep whole, and break off inside a secret
)

func startGossip(t *testing.T) *httptest.Server {
	t.Helper()
	g := gossip{objects: map[string][]byte{}}
	err := dataset.Draw(func(key string, data []byte) error {
		g.objects[key] = data
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(g)
	t.Cleanup(s.Close)
	return s
}

func refused() string { return dataset.Images()[0].Key }

// ServeHTTP implements http.Handler.
func (g gossip) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	listing := key == "" && r.Method == http.MethodGet
	switch {
	case bucket == bucketBroken:
		tell(w, r, http.StatusInternalServerError, "InternalError")
	case bucket == bucketMoved:
		w.Header().Set("X-Amz-Bucket-Region", r.Header.Get("X-Amz-Security-Token"))
		tell(w, r, http.StatusMovedPermanently, "PermanentRedirect")
	case bucket == bucketPage:
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(heard(r)))
	case listing && (bucket == bucketShut || bucket == bucketHalf):
		g.list(w, bucket, r.URL.Query().Get("prefix"), r.URL.Query().Get("start-after"))
	case bucket != bucketHalf || key == refused() || r.Method == http.MethodDelete:
		tell(w, r, http.StatusForbidden, "AccessDenied")
	case r.Method == http.MethodPut && r.Header.Get("Content-Md5") != "": // the probe's, which is wrong on purpose
		tell(w, r, http.StatusBadRequest, "BadDigest")
	case r.Method == http.MethodPut:
		w.Header().Set("ETag", `"put"`)
	case g.objects[key] == nil:
		tell(w, r, http.StatusNotFound, "NoSuchKey")
	default:
		w.Header().Set("ETag", etag(g.objects[key]))
		http.ServeContent(w, r, key, time.Unix(1, 0), bytes.NewReader(g.objects[key]))
	}
}

func etag(data []byte) string { return fmt.Sprintf(`"%x"`, md5.Sum(data)) }

func (g gossip) list(w http.ResponseWriter, bucket, prefix, after string) {
	type entry struct {
		Key          string
		Size         int
		ETag         string
		LastModified string
	}
	answer := struct {
		XMLName  xml.Name `xml:"ListBucketResult"`
		Name     string
		Contents []entry
	}{Name: bucket}
	for key, data := range g.objects {
		if strings.HasPrefix(key, prefix) && key > after {
			answer.Contents = append(answer.Contents, entry{key, len(data), etag(data), "2026-01-02T03:04:05.000Z"})
		}
	}
	slices.SortFunc(answer.Contents, func(a, b entry) int { return strings.Compare(a.Key, b.Key) })
	_ = xml.NewEncoder(w).Encode(answer)
}

// heard is all that the server knows: the request, and the secret access key
// that belongs to its session token.
func heard(r *http.Request) string {
	token := r.Header.Get("X-Amz-Security-Token")
	secret := strings.Replace(token, "token", "secret", 1)
	text := fmt.Sprintf("you sent %s %s with %s token %s %s and Authorization %s, your secret is %s %s", r.Method, r.URL,
		token, url.QueryEscape(token), base64.StdEncoding.EncodeToString([]byte(token)), r.Header.Get("Authorization"),
		secret, url.QueryEscape(secret))
	if strings.HasPrefix(r.URL.Path, "/"+bucketLong) {
		text = "you sent " + strings.Repeat("word ", 114) + " and " + token // the 600th byte is in the token
	}
	return text
}

func tell(w http.ResponseWriter, r *http.Request, status int, code string) {
	w.Header().Set("X-Amz-Request-Id", "R "+heard(r))
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_ = xml.NewEncoder(w).Encode(struct {
		XMLName                 xml.Name `xml:"Error"`
		Code, Message, Resource string
		RequestID               string `xml:"RequestId"`
	}{Code: code, Message: heard(r), Resource: heard(r), RequestID: heard(r)})
}
