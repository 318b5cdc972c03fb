package providers

import (
	"errors"
	"fmt"
	"os"
	"path"
	"strings"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/seal"
	"github.com/stevedore-jobs/stevedore/tasks/setting"
)

// Secrets resolves the references in payloads and opens sealed
// secrets. Everybody who can enqueue can name any reference, and any
// endpoint to send the value to. So only references that the operator
// allows are resolved. A sealed secret is bound to one job, and only
// that job can use it.
type Secrets struct {
	// Allow lists patterns such as "env:APP_SECRET_*" or
	// "file:/run/secrets/*". A * matches within one path segment.
	Allow []string
	// Any allows every reference. It is meant for a process that runs
	// only its owner's own payloads.
	Any bool
	// Keys open sealed secrets.
	Keys seal.Ring

	job seal.Binding
}

// For returns the secrets of one job. Without it no sealed secret can
// be opened.
func (s Secrets) For(id, kind string) Secrets {
	s.job = seal.Binding{Job: id, Kind: kind}
	return s
}

const maxSecret = 1 << 20 // bytes; a service-account key has about 2.4 KB

// Resolve returns the value behind a reference or in a sealed secret,
// without the white space around it. For the zero Secret it returns
// the empty string. Its errors name the reference or the key, and
// never hold a value.
func (s Secrets) Resolve(secret tasks.Secret) (string, error) {
	ref := secret.Reference()
	switch {
	case secret.IsZero():
		return "", nil
	case secret.Sealed() != "":
		return s.open(secret.Sealed())
	case ref == "":
		return "", secretError("a secret", "SecretNotSealed",
			"it is neither a reference nor sealed",
			"Give env:NAME or file:/path, or enqueue with the workers' public key.")
	case !s.Any && !s.allows(ref):
		return "", secretError(ref, "SecretNotAllowed",
			"this worker may not read that secret",
			fmt.Sprintf("Add %s to %s, or name a secret that is allowed: %s.",
				ref, setting.SecretsAllow, strings.Join(s.Allow, ", ")))
	}

	value, err := read(ref)
	if err != nil {
		return "", &Error{
			Op: "resolve", Key: ref, Kind: Invalid, Code: "SecretMissing", Err: err,
			Fix: "Set it on every worker.",
		}
	}
	if seal.IsPrivateKey(value) { // it is often stored where payloads may name secrets
		return "", secretError(ref, "SecretNotAllowed",
			"it is a private key of the workers, which no payload may use",
			"Name the secret that the storage needs.")
	}
	return value, nil
}

func (s Secrets) allows(ref string) bool {
	for _, pattern := range s.Allow {
		if ok, _ := path.Match(strings.TrimSpace(pattern), ref); ok {
			return true
		}
	}
	return false
}

func secretError(ref, code, detail, fix string) *Error {
	return &Error{Op: "resolve", Key: ref, Kind: Invalid, Code: code, Detail: detail, Fix: fix}
}

// read returns the value of a reference. An empty one is an error.
func read(ref string) (string, error) {
	var value string
	if name, ok := strings.CutPrefix(ref, "env:"); ok {
		value = os.Getenv(name)
	} else {
		data, err := readFile(strings.TrimPrefix(ref, "file:"))
		if err != nil {
			return "", err
		}
		value = string(data)
	}
	if value = strings.TrimSpace(value); value == "" {
		return "", errors.New("empty")
	}
	return value, nil
}

func readFile(name string) ([]byte, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular() || info.Size() > maxSecret:
		return nil, fmt.Errorf("not a file of at most %d bytes", maxSecret)
	}
	return os.ReadFile(name)
}
