package tasks

import (
	"slices"

	"github.com/stevedore-jobs/stevedore/tasks/fields"
)

// The ways to authenticate that several providers have. The others are beside
// the form of their provider, in storage_s3.go and so on.
const (
	AuthWorkerIdentity = "worker-identity" // the worker's own, where the operator allows it
	AuthAnonymous      = "anonymous"       // a public bucket
)

// Auth is how a worker proves to a cloud who it is. The method decides which
// fields are needed; others are refused.
type Auth struct {
	Method          string `json:"method,omitempty"`
	AccessKeyID     string `json:"access_key_id,omitempty"`
	SecretAccessKey Secret `json:"secret_access_key,omitzero"`
	SessionToken    Secret `json:"session_token,omitzero"`
	RoleARN         string `json:"role_arn,omitempty"`
	ExternalID      string `json:"external_id,omitempty"`
	// NoExternalID says that the role is meant to be assumed without an
	// external ID. Without it such a role is refused: anybody who can enqueue
	// could name the role of another customer (AWS's "confused deputy").
	NoExternalID     bool   `json:"no_external_id,omitempty"`
	KeyFile          Secret `json:"key_file,omitzero"`
	ServiceAccount   string `json:"service_account,omitempty"` // the email of the account to act as
	SASToken         Secret `json:"sas_token,omitzero"`
	AccountKey       Secret `json:"account_key,omitzero"`
	ConnectionString Secret `json:"connection_string,omitzero"`
	TenantID         string `json:"tenant_id,omitempty"`
	ClientID         string `json:"client_id,omitempty"`
	ClientSecret     Secret `json:"client_secret,omitzero"`
}

// authField is one field of Auth that depends on the method.
type authField struct {
	name   string
	text   string
	flag   bool
	secret *Secret // nil for a field that is no secret
}

func (f authField) given() bool {
	return f.text != "" || f.flag || f.secret != nil && !f.secret.IsZero()
}

func (a Auth) fields() []authField {
	return []authField{
		{name: "access_key_id", text: a.AccessKeyID},
		{name: "secret_access_key", secret: &a.SecretAccessKey},
		{name: "session_token", secret: &a.SessionToken},
		{name: "role_arn", text: a.RoleARN},
		{name: "external_id", text: a.ExternalID},
		{name: "no_external_id", flag: a.NoExternalID},
		{name: "key_file", secret: &a.KeyFile},
		{name: "service_account", text: a.ServiceAccount},
		{name: "sas_token", secret: &a.SASToken},
		{name: "account_key", secret: &a.AccountKey},
		{name: "connection_string", secret: &a.ConnectionString},
		{name: "tenant_id", text: a.TenantID},
		{name: "client_id", text: a.ClientID},
		{name: "client_secret", secret: &a.ClientSecret},
	}
}

// check refuses fields that the method does not use, asks for those that it
// needs, and refuses secrets that are given as values.
func (a Auth) check(errs *fields.Errors, form form) {
	m := methodNamed(a.Method)
	for _, f := range a.fields() {
		needed := !form.foreign && slices.Contains(m.needs, f.name)
		used := form.foreign || needed || slices.Contains(m.takes, f.name)
		switch {
		case f.given() && !used:
			errs.Add(f.name, "not used by method %q", a.Method)
		case f.secret != nil:
			f.secret.Check(errs, f.name, needed)
		case needed:
			errs.Need(f.name, f.text)
		}
	}
	if form.checkAuth != nil {
		form.checkAuth(errs, a)
	}
}
