// Package storage holds the connection to a bucket, as payloads name
// it: which fields it has with each provider, how a worker proves who
// it is, and what is wrong with it. Package tasks passes its names on
// to services.
//
// It knows no job and no cloud, and imports only the standard library.
package storage

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/stevedore-jobs/stevedore/tasks/fields"
	"github.com/stevedore-jobs/stevedore/tasks/seal"
	"github.com/stevedore-jobs/stevedore/tasks/walk"
)

// Storage describes a connection to a bucket. Its fields are those of
// CVAT's "attach cloud storage" and FastLabel's "S3 integration" forms.
type Storage struct {
	// DisplayName and Description are for people who see the storage in
	// a status or a log. No job depends on them.
	DisplayName string `json:"display_name,omitempty"` // one line, at most 255 characters
	Description string `json:"description,omitempty"`  // at most 4,096 characters

	// Provider is s3, gcs, azure or file. A name that begins with "x-"
	// is that of a provider defined outside this module; the worker
	// decides whether it has it. Tests also have mem.
	Provider string `json:"provider"`
	// Bucket is the bucket's name. S3: also the ARN or the alias of an
	// access point. Azure: the container. file: an absolute directory.
	Bucket string `json:"bucket"`

	// Prefix limits listings to keys that start with it. As in CVAT it
	// is a string, not a folder: "cats/im" is valid. Reads and writes
	// are confined to its directory, "cats/". Keys are always whole,
	// with the prefix in them.
	Prefix string `json:"prefix,omitempty"`

	Region   string `json:"region,omitempty"`   // s3 only
	Location string `json:"location,omitempty"` // gcs only; informative, a bucket is found without it
	Project  string `json:"project,omitempty"`  // gcs only: project ID billed by requester-pays buckets
	Account  string `json:"account,omitempty"`  // azure only: storage account name
	Endpoint string `json:"endpoint,omitempty"` // http(s) URL of a compatible server; empty for the cloud

	// Addressing is where an S3 request names the bucket: "path" or
	// "virtual" (in the host name). Empty means virtual for AWS and
	// path for an endpoint.
	Addressing    string `json:"addressing,omitempty"`
	RequesterPays bool   `json:"requester_pays,omitempty"` // s3 only: the caller's account pays
	ExpectedOwner string `json:"expected_owner,omitempty"` // s3 only: account ID that the bucket must belong to
	// UnconditionalPut is for S3 servers that refuse a PUT with a
	// condition (If-Match, If-None-Match). A job then looks whether
	// another writer has changed its manifest or index, and writes after
	// that. A change between the two is lost.
	UnconditionalPut bool `json:"unconditional_put,omitempty"`

	Auth      Auth     `json:"auth,omitzero"`       // how the worker proves who it is
	Manifests []string `json:"manifests,omitempty"` // keys of manifest files in the bucket: manifest.jsonl
}

// Dir returns the directory of the prefix: the prefix up to and
// including its last slash, or an empty string.
func (s Storage) Dir() string { return s.Prefix[:strings.LastIndexByte(s.Prefix, '/')+1] }

// String returns the storage as a URL, for people:
// "s3://bucket/prefix". It holds no credentials.
func (s Storage) String() string {
	bucket := s.Bucket
	if s.form().directories {
		bucket = strings.TrimSuffix(bucket, "/")
	}
	return s.Provider + "://" + bucket + "/" + s.Prefix
}

// Name returns a short name of the bucket for logs and metrics:
// "s3://bucket", "azure://account/container", and "s3://bucket@host" if
// there is an endpoint. It holds no prefix and no credentials.
func (s Storage) Name() string {
	name := s.Bucket
	if s.form().directories {
		name = strings.TrimSuffix(name, "/")
	}
	if s.Account != "" {
		name = s.Account + "/" + name
	}
	if u, err := url.Parse(s.Endpoint); err == nil && u.Host != "" {
		name += "@" + u.Host
	}
	return s.Provider + "://" + name
}

// WithoutTexts returns the storage without the texts that are for people
// alone.
func (s Storage) WithoutTexts() Storage {
	s.DisplayName, s.Description = "", ""
	return s
}

// Same reports whether two storages name the same bucket on the same
// server, whatever their prefixes and credentials.
func (s Storage) Same(o Storage) bool {
	return s.Provider == o.Provider && s.Bucket == o.Bucket &&
		s.Account == o.Account && s.Endpoint == o.Endpoint
}

// ID returns a text that names the bucket: two storages have the same
// ID exactly if Same holds for them.
func (s Storage) ID() string {
	return fmt.Sprintf("%s|%q|%q|%q", s.Provider, s.Endpoint, s.Account, s.Bucket)
}

// NameOf returns the Name of the storages with an ID, or the ID itself
// if it is not one.
func NameOf(id string) string {
	var s Storage
	provider, rest, _ := strings.Cut(id, "|")
	_, err := fmt.Sscanf(rest, "%q|%q|%q", &s.Endpoint, &s.Account, &s.Bucket)
	if err != nil {
		return id
	}
	s.Provider = provider
	return s.Name()
}

// Destination returns where the secrets of the storage are sent, for
// the seals that are bound to it.
func (s Storage) Destination() seal.Destination {
	return seal.Destination{
		Provider: s.Provider, Endpoint: s.Endpoint, Account: s.Account, Bucket: s.Bucket,
	}
}

// MapSecrets returns a copy of the storage in which each secret that is
// given is replaced by what f returns for it. The storage itself stays
// as it is. The error is the first one that f returns.
func (s Storage) MapSecrets(f func(seal.Secret) (seal.Secret, error)) (Storage, error) {
	c := walk.NewCopy(s)
	err := walk.Replace(c, f)
	return c.Interface().(Storage), err
}

// Validate returns nil or a *fields.InvalidError with every fault.
func (s Storage) Validate() error {
	var errs fields.Errors
	s.Check(&errs)
	return errs.Err("")
}

// Check adds the faults of the storage to those of a payload:
// j.Source.Check(errs.In("source")).
func (s Storage) Check(errs *fields.Errors) {
	form := s.form()
	switch {
	case s.Provider == "":
		errs.Add("provider", "empty: give %s", formNames(" or "))
	case form.name == "":
		errs.Add("provider", "%q is none of %s%s", s.Provider, formNames(", "),
			fields.Suggest(s.Provider, Providers()))
	case !form.hasMethod(s.Auth.Method):
		methods := AuthMethods(s.Provider)
		errs.Add("auth.method", "%q is none of %s's %s%s", s.Auth.Method, s.Provider,
			strings.Join(methods, ", "), fields.Suggest(s.Auth.Method, methods))
	}
	checkLine(errs, "display_name", s.DisplayName, maxDisplayName)
	checkText(errs, "description", s.Description, maxDescription)
	s.checkBucket(errs, form)
	if s.Prefix != "" {
		if problem := fields.PathProblem(strings.TrimSuffix(s.Prefix, "/")); problem != "" {
			errs.Add("prefix", "%s", problem)
		}
	}
	errs.Server("endpoint", s.Endpoint)
	form.checkFields(errs, s)
	if form.check != nil {
		form.check(errs, s)
	}
	for i, m := range s.Manifests {
		field := fmt.Sprintf("manifests[%d]", i)
		errs.Key(field, m)
		if !strings.HasSuffix(m, ".jsonl") {
			errs.Add(field, "%q does not end in .jsonl", m)
		}
	}
	s.Auth.check(errs.In("auth"), form)
}

// checkBucket does not repeat a name that may be a pasted URL: the
// signature of a SAS URL is a secret.
func (s Storage) checkBucket(errs *fields.Errors, form form) {
	forbidden, longest := `/\?#%`, 222
	if form.foreign {
		forbidden, longest = "", 1024
	}
	isForbidden := func(r rune) bool { return r <= ' ' || strings.ContainsRune(forbidden, r) }
	switch {
	case !errs.Need("bucket", s.Bucket):
	case form.directories:
		if !strings.HasPrefix(s.Bucket, "/") {
			errs.Add("bucket", "%q is not an absolute directory", s.Bucket)
		}
	case form.checkARN != nil && strings.HasPrefix(s.Bucket, "arn:"):
		form.checkARN(errs, s.Bucket)
	case strings.Contains(s.Bucket, "://"):
		errs.Add("bucket", "is a URL: give the name alone")
	case strings.ContainsFunc(s.Bucket, isForbidden):
		errs.Add("bucket", "has a character that no bucket name may have")
	case len(s.Bucket) > longest:
		errs.Add("bucket", "longer than %d characters", longest)
	}
}
