package storage

import (
	"slices"

	"github.com/stevedore-jobs/stevedore/tasks/fields"
	"github.com/stevedore-jobs/stevedore/tasks/seal"
	"github.com/stevedore-jobs/stevedore/tasks/walk"
)

// The ways to authenticate that several providers have. The others are
// beside the form of their provider, in s3.go and so on.
const (
	AuthWorkerIdentity = "worker-identity" // the worker's own, where the operator allows it
	AuthAnonymous      = "anonymous"       // a public bucket
)

// Auth is how a worker proves to a cloud who it is. The method decides
// which fields are needed; others are refused.
type Auth struct {
	Method          string      `json:"method,omitempty"`
	AccessKeyID     string      `json:"access_key_id,omitempty"`
	SecretAccessKey seal.Secret `json:"secret_access_key,omitzero"`
	SessionToken    seal.Secret `json:"session_token,omitzero"`
	RoleARN         string      `json:"role_arn,omitempty"`
	ExternalID      string      `json:"external_id,omitempty"`
	// NoExternalID says that the role is meant to be assumed without an
	// external ID. Without it such a role is refused: anybody who can
	// enqueue could name the role of another customer (AWS's "confused
	// deputy").
	NoExternalID     bool        `json:"no_external_id,omitempty"`
	KeyFile          seal.Secret `json:"key_file,omitzero"`
	ServiceAccount   string      `json:"service_account,omitempty"` // the email of the account to act as
	SASToken         seal.Secret `json:"sas_token,omitzero"`
	AccountKey       seal.Secret `json:"account_key,omitzero"`
	ConnectionString seal.Secret `json:"connection_string,omitzero"`
	TenantID         string      `json:"tenant_id,omitempty"`
	ClientID         string      `json:"client_id,omitempty"`
	ClientSecret     seal.Secret `json:"client_secret,omitzero"`
}

// check refuses fields that the method does not use, asks for those
// that it needs, and refuses secrets that are given as values.
func (a Auth) check(errs *fields.Errors, form form) {
	m := methodNamed(a.Method)
	for f := range walk.Fields(a) {
		needed := !form.foreign && slices.Contains(m.needs, f.Name)
		used := form.foreign || needed || slices.Contains(m.takes, f.Name)
		secret, isSecret := f.Value.(seal.Secret)
		switch {
		case f.Name == "method":
		case f.Given && !used:
			errs.Add(f.Name, "not used by method %q", a.Method)
		case isSecret:
			secret.Check(errs, f.Name, needed)
		case needed && !f.Given:
			errs.Add(f.Name, "empty")
		}
	}
	if form.checkAuth != nil {
		form.checkAuth(errs, a)
	}
}
