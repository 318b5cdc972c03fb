package providers

import (
	"errors"
	"fmt"
	"os"
	"path"
	"strings"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// Secrets resolves the references in payloads. Whoever can enqueue can name any reference and any endpoint to send the
// value to, so only what the operator allows is resolved.
type Secrets struct {
	// Allow lists patterns, "env:STEVEDORE_SECRET_*" or "file:/run/secrets/*", in which * matches within one path segment.
	Allow []string
	// Any allows every reference: for a process that runs nothing but its owner's own payloads.
	Any bool
}

const maxSecret = 1 << 20 // bytes; a service-account key has about 2.4 KB

// Resolve gives the value behind a reference, without the white space around it. The zero Secret is the empty string.
func (s Secrets) Resolve(secret tasks.Secret) (string, error) {
	ref := secret.Reference()
	if secret.IsZero() {
		return "", nil
	}
	if !s.Any && !s.allows(ref) {
		return "", &Error{
			Op: "resolve", Key: ref, Kind: Invalid, Code: "SecretNotAllowed",
			Detail: "this worker may not read that secret",
			Fix:    "Add " + ref + " to STEVEDORE_SECRETS_ALLOW on the workers, or name a secret that is allowed: " + strings.Join(s.Allow, ", ") + ".",
		}
	}
	value, err := read(ref)
	if err == nil && value == "" {
		err = errors.New("empty")
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
