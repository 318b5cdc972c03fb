package main

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/demo/dataset"
	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/walk"
)

// enqueue enqueues every kind of job for every storage. It returns the
// storages by job ID. They must have a secret in every field that holds
// one.
func (st *secretsTest) enqueue(t *testing.T, storages []tasks.Storage) map[string]tasks.Storage {
	t.Helper()
	wantEverySecret(t, storages)
	ids := map[string]tasks.Storage{}
	kinds := map[string]bool{}
	for _, s := range storages {
		for _, j := range everyJob(s) {
			id := st.enqueueOne(t, j)
			reportCanaries(t, "the job as text", fmt.Appendf(nil, "%v %+v %#v", j, j, j))
			ids[id], kinds[j.Kind()] = s, true
		}
	}
	if len(kinds) != len(tasks.Kinds()) {
		t.Errorf("only the kinds %v are tested", kinds)
	}
	return ids
}

func wantEverySecret(t *testing.T, storages []tasks.Storage) {
	t.Helper()
	given := map[string]bool{}
	for _, s := range storages {
		for field, secret := range walk.Named[tasks.Secret](s) {
			given[field] = given[field] || !secret.IsZero()
		}
	}
	for field, ok := range given {
		if !ok {
			t.Errorf("no storage has the secret %s", field)
		}
	}
}

// cancelAll starts jobs on servers that do not answer, and cancels them
// while they wait. It returns the storages by job ID.
func (st *secretsTest) cancelAll(t *testing.T) map[string]tasks.Storage {
	t.Helper()
	ids := map[string]tasks.Storage{}
	s := tasks.Storage{Provider: "s3", Bucket: bucketHung, Region: "us-east-1", Endpoint: st.endpoint, Auth: st.auths["sealed"]}
	for _, j := range everyJob(s) {
		ids[st.enqueueOne(t, j)] = s
	}
	for _, s := range st.others {
		if s.Bucket == bucketPage {
			s.Bucket = bucketHung
			ids[st.enqueueOne(t, everyJob(s)[1])] = s
		}
	}
	for id := range ids {
		queuetest.Eventually(t, time.Minute, "job "+id+" runs", func() bool {
			s, err := st.client.Status(t.Context(), id)
			return err == nil && !s.Started.IsZero()
		})
		if _, err := st.client.Cancel(t.Context(), id); err != nil {
			t.Error(err)
		}
	}
	for id, s := range ids {
		st.wait(t, id, s.Bucket)
	}
	return ids
}

func (st *secretsTest) enqueueOne(t *testing.T, j tasks.Job) string {
	t.Helper()
	id, err := st.client.Enqueue(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// retry runs all jobs once more that can be retried, and waits for
// their end.
func (st *secretsTest) retry(t *testing.T, ids map[string]tasks.Storage) {
	t.Helper()
	retried := map[string]bool{}
	for id, storage := range ids {
		if storage.Bucket == bucketHung || storage.Bucket == bucketBroken {
			continue // they would not end
		}
		err := st.client.Retry(t.Context(), id)
		switch {
		case err == nil:
			retried[id] = true
		case !errors.Is(err, producer.ErrNothingToRetry):
			t.Errorf("retry of job %s on %s: %v", id, storage.Bucket, err)
		}
	}
	if len(retried) < len(ids)/3 {
		t.Errorf("only %d of %d jobs were retried", len(retried), len(ids))
	}
	for id := range retried {
		st.wait(t, id, ids[id].Bucket)
	}
}

// onS3 returns storages with secrets of every form, for every way in
// which the server fails.
func (st *secretsTest) onS3() (all []tasks.Storage) {
	for _, bucket := range []string{bucketDenied, bucketShut, bucketHalf, bucketFine, bucketBroken, bucketMoved, bucketPage, bucketLong} {
		for form, auth := range st.auths {
			if form != "sealed" && bucket != bucketDenied && bucket != bucketHalf && bucket != bucketFine {
				continue // the other failures do not depend on the form
			}
			all = append(all, tasks.Storage{Provider: "s3", Bucket: bucket, Region: "us-east-1", Endpoint: st.endpoint, Auth: auth})
		}
	}
	return all
}

// canaryTenant is the tenant of all jobs: only it may name the secrets.
const canaryTenant = "acme"

func everyJob(s tasks.Storage) []tasks.Job {
	terms := tasks.Terms{Tenant: canaryTenant}
	return []tasks.Job{
		tasks.VerifyConnection{Terms: terms, Storage: s, Need: tasks.Need{Read: true, Write: true, Thumbnails: &s}},
		tasks.BuildManifest{Terms: terms, Source: s, Destination: &s},
		tasks.GenerateThumbnails{Terms: terms, Source: s, Destination: &s},
		tasks.ExportAnnotations{
			Terms:  terms,
			Source: s, Annotations: tasks.Annotations{Storage: &s, Key: dataset.AnnotationsKey, Format: tasks.FormatCVATImages},
			Format: tasks.FormatCOCOInstances, Destination: &s, Key: "out.zip", IncludeImages: true,
		},
	}
}

// wait waits for the end of a job. A job that would be retried for a
// long time needs only to fail once.
func (st *secretsTest) wait(t *testing.T, id, bucket string) {
	t.Helper()
	queuetest.Eventually(t, 2*time.Minute, "job "+id+" on "+bucket, func() bool {
		s, err := st.client.Status(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		kind, err := tasks.Lookup(s.Kind)
		if err != nil {
			t.Fatal(err)
		}
		info, err := st.inspector.GetTaskInfo(kind.Policy.Queue, id)
		return s.State.Final() || bucket == bucketBroken && err == nil && info.LastErr != ""
	})
}
