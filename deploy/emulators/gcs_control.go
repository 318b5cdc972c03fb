package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"

	"github.com/fsouza/fake-gcs-server/fakestorage"
)

// addGCS starts Google Cloud Storage beside the control.
func (c *control) addGCS(ctx context.Context, mux *http.ServeMux) error {
	s, err := startGCS(ctx)
	if err != nil {
		return err
	}
	s.register(mux)
	c.env += s.env()
	return nil
}

// register adds the control of Google Cloud Storage:
//
//	POST   /gcs/buckets/NAME    makes a bucket, or changes what is said about it; the body is a gcsBucket
//	POST   /gcs/accounts/NAME   makes an account, or gives it another key; the body is a gcsAccount, the answer its key file
//	DELETE /gcs/accounts/NAME
func (s *gcsServer) register(mux *http.ServeMux) {
	mux.HandleFunc("POST /gcs/buckets/{name}", s.setBucket)
	mux.HandleFunc("POST /gcs/accounts/{name}", s.setAccount)
	mux.HandleFunc("DELETE /gcs/accounts/{name}", func(w http.ResponseWriter, r *http.Request) {
		s.accounts.remove(r.PathValue("name"))
		answer(w, struct{}{}, nil)
	})
}

func (s *gcsServer) setBucket(w http.ResponseWriter, r *http.Request) {
	var b gcsBucket
	err := json.NewDecoder(r.Body).Decode(&b)
	if err == nil || errors.Is(err, io.EOF) {
		err = nil
		name := r.PathValue("name")
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.made[name] == nil {
			s.made[name] = &sync.Mutex{}
			s.fake.CreateBucketWithOpts(fakestorage.CreateBucketOpts{Name: name, VersioningEnabled: b.Versioning})
		}
		s.buckets[name] = b
	}
	answer(w, struct{}{}, err)
}

func (s *gcsServer) setAccount(w http.ResponseWriter, r *http.Request) {
	var account gcsAccount
	err := json.NewDecoder(r.Body).Decode(&account)
	var key map[string]string
	if err == nil || errors.Is(err, io.EOF) {
		key, err = s.accounts.set(r.PathValue("name"), account)
	}
	answer(w, key, err)
}
