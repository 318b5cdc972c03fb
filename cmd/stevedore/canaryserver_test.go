package main

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/demo/dataset"
)

// echoS3 is an S3 server whose errors contain the whole request, and
// the secret of the caller. The name of the bucket decides what else it
// does.
type echoS3 struct {
	objects map[string][]byte
	written *sync.Map // what jobs have put, by bucket, access key and key
}

// The buckets of echoS3.
const (
	bucketDenied = "denied" // nothing is allowed
	bucketShut   = "shut"   // it can be listed, but nothing can be read
	bucketHalf   = "half"   // only the object refusedKey cannot be read
	bucketFine   = "fine"   // everything is allowed
	bucketHung   = "hung"   // no request is answered
	bucketBroken = "broken" // the server fails
	bucketMoved  = "moved"  // it names another region in a header
	bucketPage   = "page"   // it answers with a page of text
	bucketLong   = "long"   // its messages are too long, and are cut inside a secret
)

func startEchoS3(t *testing.T) *httptest.Server {
	t.Helper()
	g := echoS3{objects: map[string][]byte{}, written: new(sync.Map)}
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

func refusedKey() string { return dataset.Images()[0].Key }

// ServeHTTP implements http.Handler.
func (g echoS3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	listing := key == "" && r.Method == http.MethodGet
	switch {
	case bucket == bucketHung:
		_, _ = io.Copy(io.Discard, r.Body) // the server watches the connection only after that
		<-r.Context().Done()
	case bucket == bucketBroken:
		answerError(w, r, http.StatusInternalServerError, "InternalError")
	case bucket == bucketMoved:
		w.Header().Set("X-Amz-Bucket-Region", r.Header.Get("X-Amz-Security-Token"))
		answerError(w, r, http.StatusMovedPermanently, "PermanentRedirect")
	case bucket == bucketPage:
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(requestText(r)))
	case listing && (bucket == bucketShut || bucket == bucketHalf || bucket == bucketFine):
		g.list(w, bucket, r.URL.Query().Get("prefix"), r.URL.Query().Get("start-after"))
	case bucket == bucketFine && r.Method == http.MethodDelete:
		w.WriteHeader(http.StatusNoContent)
	case bucket != bucketFine && (bucket != bucketHalf || key == refusedKey() || r.Method == http.MethodDelete):
		answerError(w, r, http.StatusForbidden, "AccessDenied")
	case r.Method == http.MethodPut && r.Header.Get("Content-Md5") != "": // sent by the probe, and wrong on purpose
		answerError(w, r, http.StatusBadRequest, "BadDigest")
	case r.Method == http.MethodPut:
		data, _ := io.ReadAll(r.Body)
		g.written.Store(place(r), data)
		w.Header().Set("ETag", etag(data))
	default:
		g.read(w, r, key)
	}
}

// place names an object as one caller sees it: jobs with other keys
// write elsewhere, so that they do not meet.
func place(r *http.Request) string {
	_, caller, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	caller, _, _ = strings.Cut(caller, "/")
	return caller + " " + r.URL.Path
}

func (g echoS3) read(w http.ResponseWriter, r *http.Request, key string) {
	data := g.objects[key]
	if written, ok := g.written.Load(place(r)); ok {
		data, _ = written.([]byte)
	}
	if data == nil {
		answerError(w, r, http.StatusNotFound, "NoSuchKey")
		return
	}
	w.Header().Set("ETag", etag(data))
	http.ServeContent(w, r, key, time.Unix(1, 0), bytes.NewReader(data))
}

func etag(data []byte) string { return fmt.Sprintf(`"%x"`, md5.Sum(data)) }

func (g echoS3) list(w http.ResponseWriter, bucket, prefix, after string) {
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

// requestText returns everything that the server knows: the request,
// and the secret access key that belongs to its session token.
func requestText(r *http.Request) string {
	token := r.Header.Get("X-Amz-Security-Token")
	secret := strings.Replace(token, "token", "secret", 1)
	text := fmt.Sprintf("you sent %s %s with %s token %s %s and Authorization %s, your secret is %s %s", r.Method, r.URL,
		token, url.QueryEscape(token), base64.StdEncoding.EncodeToString([]byte(token)), r.Header.Get("Authorization"),
		secret, url.QueryEscape(secret))
	if strings.HasPrefix(r.URL.Path, "/"+bucketLong) {
		text = "you sent " + strings.Repeat("word ", 114) + " and " + token // byte 600 is inside the token
	}
	return text
}

func answerError(w http.ResponseWriter, r *http.Request, status int, code string) {
	w.Header().Set("X-Amz-Request-Id", "R "+requestText(r))
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_ = xml.NewEncoder(w).Encode(struct {
		XMLName                 xml.Name `xml:"Error"`
		Code, Message, Resource string
		RequestID               string `xml:"RequestId"`
	}{Code: code, Message: requestText(r), Resource: requestText(r), RequestID: requestText(r)})
}
