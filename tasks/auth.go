package tasks

import "strings"

// The ways to authenticate. Which of them a provider has is in its
// documentation; a worker refuses those it lacks.
const (
	AuthAccessKey        = "access-key"        // s3: access key ID and secret access key, perhaps a session token
	AuthAssumeRole       = "assume-role"       // s3: the worker assumes a role of the customer's, with an external ID
	AuthKeyFile          = "key-file"          // gcs: service-account key, the JSON file
	AuthImpersonation    = "impersonation"     // gcs: the worker's own identity acts as a service account
	AuthSAS              = "sas"               // azure: account and SAS token; an account key in its place is understood
	AuthAccountKey       = "account-key"       // azure: account and its key
	AuthConnectionString = "connection-string" // azure
	AuthServicePrincipal = "service-principal" // azure: tenant, client and client secret
	AuthWorkerIdentity   = "worker-identity"   // s3, gcs, azure: the worker's own identity, where the operator allows it
	AuthAnonymous        = "anonymous"         // a public bucket
)

// Auth is how a worker proves to a cloud who it is. Which fields are needed
// follows from the method; others are refused.
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

// authField is one field of Auth, and what the methods think of it.
type authField struct {
	name     string
	text     string
	secret   *Secret
	required string // the method that needs it, if any
	allowed  string // the method that may have it, if any
}

// fields are the fields that depend on the method, and all secrets; the
// pointers are a's own.
func (a *Auth) fields() []authField {
	return []authField{
		{name: "access_key_id", text: a.AccessKeyID, required: AuthAccessKey},
		{name: "secret_access_key", secret: &a.SecretAccessKey, required: AuthAccessKey},
		{name: "session_token", secret: &a.SessionToken, allowed: AuthAccessKey},
		{name: "role_arn", text: a.RoleARN, required: AuthAssumeRole},
		{name: "external_id", text: a.ExternalID, allowed: AuthAssumeRole},
		{name: "key_file", secret: &a.KeyFile, required: AuthKeyFile},
		{name: "service_account", text: a.ServiceAccount, required: AuthImpersonation},
		{name: "sas_token", secret: &a.SASToken, required: AuthSAS},
		{name: "account_key", secret: &a.AccountKey, required: AuthAccountKey},
		{name: "connection_string", secret: &a.ConnectionString, required: AuthConnectionString},
		{name: "tenant_id", text: a.TenantID, required: AuthServicePrincipal},
		{name: "client_id", text: a.ClientID, required: AuthServicePrincipal},
		{name: "client_secret", secret: &a.ClientSecret, required: AuthServicePrincipal},
	}
}

func (a *Auth) check(f faults) {
	for _, field := range a.fields() {
		required := a.Method != "" && field.required == a.Method
		given := field.text != "" || field.secret != nil && !field.secret.IsZero()
		switch {
		case given && (a.Method == "" || a.Method != field.required && a.Method != field.allowed):
			f.add(field.name, "not used by method %q", a.Method)
		case field.secret != nil:
			f.secret(field.name, *field.secret, required)
		case required:
			f.need(field.name, field.text)
		}
	}
	switch {
	case a.NoExternalID && a.Method != AuthAssumeRole:
		f.add("no_external_id", "not used by method %q", a.Method)
	case a.NoExternalID && a.ExternalID != "":
		f.add("no_external_id", "contradicts external_id")
	case a.Method == AuthAssumeRole && a.ExternalID == "" && !a.NoExternalID:
		f.add("external_id", "empty: give the one that the role's trust policy asks for, or no_external_id if it asks for none")
	}
	// Pasted white space breaks request signing with an error that names
	// neither field nor space.
	if strings.TrimSpace(a.AccessKeyID) != a.AccessKeyID {
		f.add("access_key_id", "has white space around it")
	}
}
