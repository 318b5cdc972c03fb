package providers

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers/allowlist"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/seal"
	"github.com/stevedore-jobs/stevedore/tasks/setting"
)

// Secrets resolves the references in payloads and opens sealed
// secrets. Everybody who can enqueue can name any reference, and any
// endpoint to send the value to. So only references that the operator
// allows are resolved. A sealed secret is bound to one job and to one
// bucket, and opens for nothing else.
type Secrets struct {
	// Allow lists patterns such as "env:APP_SECRET_*" or
	// "file:/run/secrets/{tenant}/*", as package allowlist reads them.
	// A text that is no pattern allows nothing.
	Allow []string
	// Any allows every reference. It is meant for a process that runs
	// only its owner's own payloads.
	Any bool
	// Keys open sealed secrets.
	Keys seal.Ring

	owner       Owner
	destination seal.Destination
}

// Owner is the job that needs secrets. The tenant may be empty.
type Owner struct{ Job, Kind, Tenant string }

// For returns the secrets of one job. Without it no sealed secret can
// be opened, and no pattern with {tenant} allows anything.
func (s Secrets) For(o Owner) Secrets {
	s.owner = o
	return s
}

// At returns the secrets of one storage of the job. Registry.Open calls
// it, so the secrets that an Opener gets open only what was sealed for
// the storage that it is to open.
func (s Secrets) At(storage tasks.Storage) Secrets {
	s.destination = storage.Destination()
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
		return "", s.notAllowed(ref)
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
	return slices.ContainsFunc(s.Allow, func(text string) bool {
		p, err := allowlist.Parse(text)
		return err == nil && p.Match(ref, s.owner.Tenant)
	})
}

func (s Secrets) notAllowed(ref string) error {
	allowed := strings.Join(s.Allow, ", ")
	fix := fmt.Sprintf("Name a secret that is allowed: %s; "+
		"or let the workers' operator add it to %s.", allowed, setting.SecretsAllow)
	switch {
	case allowed == "":
		fix = fmt.Sprintf("This worker allows no secrets by name: seal the secret, "+
			"or let the workers' operator add it to %s.", setting.SecretsAllow)
	case !strings.Contains(allowed, allowlist.Tenant):
	case s.owner.Tenant == "":
		fix += " The payload has no tenant, so no pattern with {tenant} holds for it."
	default:
		fix += " {tenant} is the payload's own tenant, " + s.owner.Tenant +
			"; in the same name, * stands for letters and digits only."
	}
	return secretError(ref, "SecretNotAllowed", "this payload may not name that secret", fix)
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
