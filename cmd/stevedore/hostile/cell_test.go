package hostile

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/providers/providertest/servers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// cell is a behaviour against a job on a cloud.
type cell struct {
	cloud     string
	job       string // its kind
	operation string
	behaviour string
}

// String returns the name that -run and the table show.
func (c cell) String() string {
	return strings.Join([]string{c.cloud, c.job, c.operation, c.behaviour}, "/")
}

// run is a part of the name of every bucket, so that the server counts
// only what this run of the test does.
var run = strings.ToLower(rand.Text()[:8])

// bucket returns the name of the cell's bucket in a phase of the test.
func (c cell) bucket(phase string) string {
	return fmt.Sprintf("%s-%s-%s%c%c%s", c.operation, c.behaviour, phase, c.cloud[0], c.job[0], run)
}

// group returns the pool of the worker that the cell's job fills.
func (c cell) group() string {
	switch c.job {
	case verify, export:
		return c.job
	}
	return "sharded"
}

const (
	verify     = "verify-connection"
	manifest   = "build-manifest"
	thumbnails = "generate-thumbnails"
	export     = "export-annotations"
)

// The operations that are about content. All others are those of the
// server's honest behaviour.
const (
	opGet      = "get"
	opImage    = "image"
	opDocument = "document"
)

// uses reports whether a job meets an operation, if it is known which
// of the honest operations it uses.
func uses(job, operation string, used map[string]bool) bool {
	switch operation {
	case opImage:
		return job != verify && used[opGet]
	case opDocument:
		return job == export
	}
	return used[operation]
}

// largeUpload lists the operations of an export that needs an upload
// in parts.
var largeUpload = []string{"start", "part", "finish"}

// secrets are files that the payloads refer to.
type secrets struct {
	dir string
	mu  sync.Mutex
}

// of returns a reference to a file, which it writes if it is missing.
func (s *secrets) of(t testing.TB, name, value string) tasks.Secret {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	path := filepath.Join(s.dir, name)
	_, err := os.Stat(path)
	if err != nil {
		err = os.WriteFile(path, []byte(value), 0o600)
	}
	secret, refErr := tasks.SecretRef("file:" + path)
	if err = errors.Join(err, refErr); err != nil {
		t.Error(err)
	}
	return secret
}

const token = "token"

// storage returns the storage of a cell. Of a sign-in the account says
// what is wrong, and the bucket is a right one.
func (s *secrets) storage(t testing.TB, server servers.HostileServer, c cell, bucket string) tasks.Storage {
	t.Helper()
	st := tasks.Storage{Provider: c.cloud, Bucket: bucket, Endpoint: server.Endpoints[c.cloud]}
	account := "list-no"
	if c.operation == token {
		account, st.Bucket = bucket, "right"
	}
	switch c.cloud {
	case "s3":
		st.Region = "us-east-1"
		st.Auth = tasks.Auth{
			Method: tasks.AuthAccessKey, AccessKeyID: "AKIATEST", SecretAccessKey: s.of(t, "s3", "secret"),
		}
		if c.operation == token {
			role := "arn:aws:iam::123456789012:role/" + account
			st.Auth = tasks.Auth{Method: tasks.AuthAssumeRole, RoleARN: role, NoExternalID: true}
		}
	case "gcs":
		st.Auth = tasks.Auth{Method: tasks.AuthKeyFile, KeyFile: s.of(t, "gcs-"+account, keyFile(t, account))}
	case "azure":
		st.Account, st.Endpoint = "account", st.Endpoint+"/account"
		st.Auth = tasks.Auth{
			Method: tasks.AuthAccountKey, AccountKey: s.of(t, "azure", strings.Repeat("A", 86)+"=="),
		}
	}
	return st
}

// payload returns the job of a cell.
func payload(c cell, st tasks.Storage, deadline time.Time) tasks.Job {
	terms := tasks.Terms{Tenant: "hostile-" + c.behaviour, Deadline: deadline}
	images := st
	images.Prefix = "images/"
	switch c.job {
	case verify:
		return tasks.VerifyConnection{Terms: terms, Storage: st, Need: tasks.Need{Read: true, Write: true}}
	case manifest:
		return tasks.BuildManifest{Terms: terms, Source: images}
	case thumbnails:
		return tasks.GenerateThumbnails{Terms: terms, Source: images}
	}
	document := "annotations.xml"
	if slices.Contains(largeUpload, c.operation) {
		document = "big.xml"
	}
	return tasks.ExportAnnotations{
		Terms: terms, Source: st, IncludeImages: true, Key: "out/export.zip",
		Annotations: tasks.Annotations{Key: document, Format: tasks.FormatCVATImages},
		Format:      tasks.FormatCOCOInstances,
	}
}
