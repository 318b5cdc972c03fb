package main

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/dataset"
	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
)

// The four jobs on a real S3 server, two of them twice, with the rights that the seed documents ask for and no others.
func TestFourJobsOnS3(t *testing.T) {
	t.Parallel()
	store, key := s3Bucket(t, providertest.S3(t))
	store.Auth.SecretAccessKey = secretFile(t, key)
	b := open(t, store)
	err := dataset.Draw(func(key string, data []byte) error {
		_, err := b.Put(t.Context(), key, bytes.NewReader(data), providers.WriteOptions{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	here, err := startLocal(t.Context(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer here.stop()
	var out bytes.Buffer
	shown := newTable(&out)
	if err := perform(t.Context(), here.client, console{err: &out}, store, shown); err != nil {
		shown.Render()
		t.Errorf("%v\n%s", err, out.String())
	}
}
