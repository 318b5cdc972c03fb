package tasks

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Storage describes a connection to a bucket. Its fields are those of CVAT's
// "attach cloud storage" and FastLabel's "S3 integration" forms.
type Storage struct {
	Provider string `json:"provider"` // s3, gcs, azure, file or mem
	Bucket   string `json:"bucket"`   // bucket name; Azure: container; file: absolute directory; mem: any name

	// Prefix limits listings to keys that start with it. As in CVAT it is a
	// string, not a folder: "cats/im" is valid. Reads and writes are confined
	// to its directory, "cats/". Keys are always whole, with the prefix in
	// them.
	Prefix string `json:"prefix,omitempty"`

	Region   string `json:"region,omitempty"`   // s3 only
	Location string `json:"location,omitempty"` // gcs only; informative, a bucket is found without it
	Project  string `json:"project,omitempty"`  // gcs only: project ID billed by requester-pays buckets
	Account  string `json:"account,omitempty"`  // azure only: storage account name
	Endpoint string `json:"endpoint,omitempty"` // http(s) URL of a compatible server; empty for the cloud itself

	// Addressing is where an S3 request names the bucket: "path" or "virtual"
	// (in the host name). Empty means virtual for AWS and path for an
	// endpoint.
	Addressing    string `json:"addressing,omitempty"`
	RequesterPays bool   `json:"requester_pays,omitempty"` // s3 only: the caller's account pays; gcs does so with Project
	ExpectedOwner string `json:"expected_owner,omitempty"` // s3 only: account ID that the bucket must belong to

	Auth      Auth     `json:"auth,omitzero"`       // how the worker proves who it is
	Manifests []string `json:"manifests,omitempty"` // keys of manifest files in the bucket, for example manifest.jsonl
}

// OwnDirectory is the directory inside a bucket where Stevedore keeps what it
// made, unless a payload says otherwise. No job takes anything at or below a
// directory of this name for an image of the customer.
const OwnDirectory = ".stevedore/"

// IsOwn reports whether a key lies in an OwnDirectory, at any depth.
func IsOwn(key string) bool {
	return strings.HasPrefix(key, OwnDirectory) || strings.Contains(key, "/"+OwnDirectory)
}

// Dir is the directory of the prefix: the prefix up to and including its last
// slash, or empty.
func (s Storage) Dir() string { return s.Prefix[:strings.LastIndexByte(s.Prefix, '/')+1] }

// String is the storage as a URL, for people: "s3://bucket/prefix". It holds
// no credentials.
func (s Storage) String() string {
	if s.Provider == "file" {
		return "file://" + strings.TrimSuffix(s.Bucket, "/") + "/" + s.Prefix
	}
	return s.Provider + "://" + s.Bucket + "/" + s.Prefix
}

// Same reports whether two storages name the same bucket on the same server,
// whatever their prefixes and credentials.
func (s Storage) Same(o Storage) bool {
	return s.Provider == o.Provider && s.Bucket == o.Bucket && s.Account == o.Account && s.Endpoint == o.Endpoint
}

// ID names the bucket as Same compares it: two storages have the same ID
// exactly if they are the same bucket.
func (s Storage) ID() string {
	return fmt.Sprintf("%s|%q|%q|%q", s.Provider, s.Endpoint, s.Account, s.Bucket)
}

// authMethods says which ways to authenticate each provider has.
var authMethods = map[string][]string{
	"s3":    {AuthAccessKey, AuthAssumeRole, AuthWorkerIdentity, AuthAnonymous},
	"gcs":   {AuthKeyFile, AuthImpersonation, AuthWorkerIdentity, AuthAnonymous},
	"azure": {AuthSAS, AuthAccountKey, AuthConnectionString, AuthServicePrincipal, AuthWorkerIdentity, AuthAnonymous},
	"file":  {""},
	"mem":   {""},
}

var accountID = regexp.MustCompile(`^[0-9]{12}$`)

func (s Storage) check(f faults) {
	methods, known := authMethods[s.Provider]
	switch {
	case s.Provider == "":
		f.add("provider", "empty: give s3, gcs, azure, file or mem")
	case !known:
		f.add("provider", "%q is none of s3, gcs, azure, file, mem", s.Provider)
	case !slices.Contains(methods, s.Auth.Method):
		f.add("auth.method", "%q is none of %s's %s", s.Auth.Method, s.Provider, strings.Join(methods, ", "))
	}
	s.checkBucket(f)
	s.checkPrefix(f)
	s.checkEndpoint(f)
	for _, only := range []struct{ field, value, provider string }{
		{"region", s.Region, "s3"}, {"addressing", s.Addressing, "s3"}, {"expected_owner", s.ExpectedOwner, "s3"},
		{"location", s.Location, "gcs"}, {"project", s.Project, "gcs"}, {"account", s.Account, "azure"},
	} {
		if known && only.value != "" && s.Provider != only.provider {
			f.add(only.field, "only for provider %s", only.provider)
		}
	}
	if known && s.RequesterPays && s.Provider != "s3" {
		f.add("requester_pays", "only for provider s3")
	}
	if s.Addressing != "" {
		f.oneOf("addressing", s.Addressing, []string{"path", "virtual"})
	}
	if s.ExpectedOwner != "" && !accountID.MatchString(s.ExpectedOwner) {
		f.add("expected_owner", "%q is not an AWS account ID of 12 digits", s.ExpectedOwner)
	}
	if s.Provider == "azure" && s.Auth.Method != AuthConnectionString {
		f.need("account", s.Account)
	}
	for i, m := range s.Manifests {
		field := fmt.Sprintf("manifests[%d]", i)
		f.key(field, m)
		if !strings.HasSuffix(m, ".jsonl") {
			f.add(field, "%q does not end in .jsonl", m)
		}
	}
	s.Auth.check(f.in("auth"))
}

// checkBucket does not repeat a name that may be a pasted URL: the signature
// of a SAS URL is a secret.
func (s Storage) checkBucket(f faults) {
	switch {
	case !f.need("bucket", s.Bucket):
	case s.Provider == "file":
		if !strings.HasPrefix(s.Bucket, "/") {
			f.add("bucket", "%q is not an absolute directory", s.Bucket)
		}
	case strings.Contains(s.Bucket, "://"):
		f.add("bucket", "is a URL: give the name alone")
	case strings.ContainsFunc(s.Bucket, func(r rune) bool { return r <= ' ' || strings.ContainsRune(`/\?#%`, r) }):
		f.add("bucket", "has a character that no bucket name may have")
	case len(s.Bucket) > 222:
		f.add("bucket", "longer than 222 characters")
	}
}

func (s Storage) checkPrefix(f faults) {
	if problem := s.prefixProblem(); problem != "" {
		f.add("prefix", "%s", problem)
	}
}

func (s Storage) prefixProblem() string {
	if s.Prefix == "" {
		return ""
	}
	return pathProblem(strings.TrimSuffix(s.Prefix, "/"))
}

// checkEndpoint keeps everything out of an endpoint that could smuggle
// credentials or another request into it.
func (s Storage) checkEndpoint(f faults) {
	if s.Endpoint == "" {
		return
	}
	u, err := url.Parse(s.Endpoint)
	switch {
	case s.Provider == "file", s.Provider == "mem":
		f.add("endpoint", "not used by provider %s", s.Provider)
	case err != nil: // the parse error would repeat the text, and with it any password in it
		f.add("endpoint", "not a URL")
	case u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		f.add("endpoint", "must be http://host or https://host")
	case u.User != nil, u.RawQuery != "", u.Fragment != "":
		f.add("endpoint", "must not hold a user, a query or a fragment")
	}
}
