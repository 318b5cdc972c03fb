package gcs

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"

	"github.com/fsouza/fake-gcs-server/fakestorage"

	"github.com/stevedore-jobs/stevedore/deploy/emulators/web"
)

// Register adds the control of buckets and accounts:
//
//	POST   /gcs/buckets/NAME    makes or changes a bucket, from its JSON
//	POST   /gcs/accounts/NAME   makes an account, or gives it a new key; answers the key file
//	DELETE /gcs/accounts/NAME
func (s *Server) Register(mux *http.ServeMux) {
	mux.HandleFunc("POST /gcs/buckets/{name}", s.setBucket)
	mux.HandleFunc("POST /gcs/accounts/{name}", s.setAccount)
	mux.HandleFunc("DELETE /gcs/accounts/{name}", s.removeAccount)
}

func (s *Server) setBucket(w http.ResponseWriter, r *http.Request) {
	var b bucket
	err := decode(r.Body, &b)
	if err == nil {
		s.putBucket(r.PathValue("name"), b)
	}
	web.Answer(w, struct{}{}, err)
}

func (s *Server) putBucket(name string, b bucket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writes[name] == nil {
		s.writes[name] = &sync.Mutex{}
		s.fake.CreateBucketWithOpts(fakestorage.CreateBucketOpts{
			Name: name, VersioningEnabled: b.Versioning,
		})
	}
	s.buckets[name] = b
}

func (s *Server) setAccount(w http.ResponseWriter, r *http.Request) {
	var spec account
	err := decode(r.Body, &spec)
	var keyFile map[string]string
	if err == nil {
		keyFile, err = s.accounts.set(r.PathValue("name"), spec)
	}
	web.Answer(w, keyFile, err)
}

func (s *Server) removeAccount(w http.ResponseWriter, r *http.Request) {
	s.accounts.remove(r.PathValue("name"))
	web.Answer(w, struct{}{}, nil)
}

// decode reads JSON. An empty body leaves the value as it is.
func decode(body io.Reader, into any) error {
	err := json.NewDecoder(body).Decode(into)
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
