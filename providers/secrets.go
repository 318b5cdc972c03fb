package providers

import (
	"errors"
	"fmt"
	"os"
	"path"
	"strings"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/seal"
)

// Secrets resolves the references in payloads, and opens what is sealed.
// Whoever can enqueue can name any reference and any endpoint to send the
// value to, so only what the operator allows is resolved. What is sealed was
// given by whoever sealed it, for the one job that it is bound to.
type Secrets struct {
	// Allow lists patterns, "env:STEVEDORE_SECRET_*" or
	// "file:/run/secrets/*", in which * matches within one path segment.
	Allow []string
	// Any allows every reference: for a process that runs nothing but its
	// owner's own payloads.
	Any bool
	// Keys open sealed secrets.
	Keys seal.Ring

	job seal.Binding
}

// For is the secrets of one job. Without it nothing that is sealed can be
// opened.
func (s Secrets) For(id, kind string) Secrets {
	s.job = seal.Binding{Job: id, Kind: kind}
	return s
}

const maxSecret = 1 << 20 // bytes; a service-account key has about 2.4 KB

// Resolve gives the value behind a reference or in a sealed secret, without
// the white space around it. The zero Secret is the empty string. Its errors
// name the reference, or the key, and never hold a value.
func (s Secrets) Resolve(secret tasks.Secret) (string, error) {
	ref := secret.Reference()
	switch {
	case secret.IsZero():
		return "", nil
	case secret.Sealed() != "":
		return s.open(secret.Sealed())
	case ref == "":
		return "", &Error{
			Op: "resolve", Key: "a secret", Kind: Invalid, Code: "SecretNotSealed",
			Detail: "it is neither a reference nor sealed", Fix: "Give env:NAME or file:/path, or enqueue with the workers' public key.",
		}
	}
	if !s.Any && !s.allows(ref) {
		return "", &Error{
			Op: "resolve", Key: ref, Kind: Invalid, Code: "SecretNotAllowed",
			Detail: "this worker may not read that secret",
			Fix:    "Add " + ref + " to STEVEDORE_SECRETS_ALLOW on the workers, or name a secret that is allowed: " + strings.Join(s.Allow, ", ") + ".",
		}
	}
	value, err := read(ref)
	switch {
	case err == nil && value == "":
		err = errors.New("empty")
	case seal.IsPrivateKey(value): // it often lies beside what may be named, and would be sent to an endpoint of the payload's
		return "", &Error{
			Op: "resolve", Key: ref, Kind: Invalid, Code: "SecretNotAllowed",
			Detail: "it is a private key of the workers, which no payload may use", Fix: "Name the secret that the storage needs.",
		}
	}
	if err != nil {
		return "", &Error{
			Op: "resolve", Key: ref, Kind: Invalid, Code: "SecretMissing", Err: err,
			Fix: "Set it on every worker.",
		}
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

func read(ref string) (string, error) {
	if name, ok := strings.CutPrefix(ref, "env:"); ok {
		return strings.TrimSpace(os.Getenv(name)), nil
	}
	name := strings.TrimPrefix(ref, "file:")
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return "", err
	case !info.Mode().IsRegular() || info.Size() > maxSecret:
		return "", fmt.Errorf("not a file of at most %d bytes", maxSecret)
	}
	data, err := os.ReadFile(name)
	return strings.TrimSpace(string(data)), err
}
