package gcs

import "net/http"

// bucket is what a test says about a bucket.
type bucket struct {
	// Grants are the permissions of an email, or of allUsers.
	Grants map[string][]string `json:"grants"`
	// NoPublic means that allUsers has no permission, whatever is
	// granted.
	NoPublic bool `json:"public_access_prevention"`

	// RequesterPays means that requests must name a project. Billers
	// are the projects that an email may name.
	RequesterPays bool                `json:"requester_pays"`
	Billers       map[string][]string `json:"billers"`

	// Versioning counts only when the bucket is made.
	Versioning bool `json:"versioning"`
	// KMSKey is the key that objects claim to be encrypted with.
	KMSKey string     `json:"kms_key"`
	CORS   []corsRule `json:"cors"`
	// NoTestPermissions means that testIamPermissions does not exist,
	// as on servers that only resemble Google's.
	NoTestPermissions bool `json:"no_test_permissions"`
	// Faults are answers in place of the right one, by operation (see
	// call.op) or for "any".
	Faults map[string]fault `json:"faults"`
}

// fault is an answer in place of the right one.
type fault struct {
	Status int               `json:"status"`
	Header map[string]string `json:"header"`
	Body   string            `json:"body"`
}

func (f fault) write(w http.ResponseWriter) {
	for name, value := range f.Header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(f.Status)
	_, _ = w.Write([]byte(f.Body))
}
