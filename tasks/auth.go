package tasks

import "strings"

// The ways to authenticate. Which of them a provider has is in its documentation; a worker refuses those it lacks.
const (
	AuthAccessKey        = "access-key"        // s3: access key ID and secret access key, perhaps a session token
	AuthAssumeRole       = "assume-role"       // s3: the worker assumes a role of the customer's, with an external ID
	AuthKeyFile          = "key-file"          // gcs: service-account key, the JSON file
	AuthWorkerIdentity   = "worker-identity"   // gcs: the worker's own application default credentials
	AuthSAS              = "sas"               // azure: account name and SAS token (or account key)
	AuthConnectionString = "connection-string" // azure
	AuthAnonymous        = "anonymous"         // a public bucket
)

// Auth is how a worker proves to a cloud who it is. Which fields are needed follows from the method; others are refused.
type Auth struct {
	Method           string `json:"method,omitempty"`
	AccessKeyID      string `json:"access_key_id,omitempty"`
	SecretAccessKey  Secret `json:"secret_access_key,omitzero"`
	SessionToken     Secret `json:"session_token,omitzero"`
	RoleARN          string `json:"role_arn,omitempty"`
	ExternalID       string `json:"external_id,omitempty"`
	KeyFile          Secret `json:"key_file,omitzero"`
	SASToken         Secret `json:"sas_token,omitzero"`
	ConnectionString Secret `json:"connection_string,omitzero"`
}

// authField is one field of Auth, and what the methods think of it.
type authField struct {
	name     string
	text     string
	secret   *Secret
	required string // the method that needs it, if any
	allowed  string // the method that may have it, if any
}

func (a Auth) fields() []authField {
	return []authField{
		{name: "access_key_id", text: a.AccessKeyID, required: AuthAccessKey},
		{name: "secret_access_key", secret: &a.SecretAccessKey, required: AuthAccessKey},
		{name: "session_token", secret: &a.SessionToken, allowed: AuthAccessKey},
		{name: "role_arn", text: a.RoleARN, required: AuthAssumeRole},
		{name: "external_id", text: a.ExternalID, required: AuthAssumeRole},
		{name: "key_file", secret: &a.KeyFile, required: AuthKeyFile},
		{name: "sas_token", secret: &a.SASToken, required: AuthSAS},
		{name: "connection_string", secret: &a.ConnectionString, required: AuthConnectionString},
	}
}

func (a Auth) check(f faults) {
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
	// Pasted white space breaks request signing with an error that names neither field nor space.
	if strings.TrimSpace(a.AccessKeyID) != a.AccessKeyID {
		f.add("access_key_id", "has white space around it")
	}
}
