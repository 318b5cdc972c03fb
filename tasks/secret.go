package tasks

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/stevedore-jobs/stevedore/tasks/seal"
)

// Secret is a secret that a job needs, in one of three forms:
//
//   - a reference: "env:NAME" is a variable of the worker's environment, "file:/path" a file on the worker, and the worker
//     resolves it, from an allow-list that its operator sets;
//   - sealed: "sealed:<key ID>:<text>", which the workers alone can open, and for one job alone (see package seal);
//   - plain, made by PlainSecret: inside a producer's process only, until the producer has sealed it.
//
// Every way of printing or logging a Secret gives "[redacted]". Its JSON form
// shows a reference or the sealed text; a plain secret has none. A plain
// value in JSON is dropped while it is decoded, and Validate then reports the
// field. The zero Secret means "none".
type Secret struct {
	text      string  // the reference or the sealed text
	forgotten bool    // JSON held a value where one of those belongs; the value itself is not kept
	value     *string // a plain secret; a pointer, because fmt shows what lies in the unexported fields of others
}

const redacted = "[redacted]"

// SecretRef makes a Secret from "env:NAME" or "file:/path", or from a sealed
// text. The error does not repeat its argument.
func SecretRef(ref string) (Secret, error) {
	s := parseSecret(ref)
	if s.forgotten {
		return Secret{}, errors.New("a secret must be given as env:NAME or file:/path, or sealed, not as a value")
	}
	return s, nil
}

// PlainSecret makes a Secret of a value, for a producer that has the workers'
// public key: enqueuing seals it. It never leaves the process in any other
// form. The empty value is no secret.
func PlainSecret(value string) Secret {
	if value == "" {
		return Secret{}
	}
	return Secret{value: &value}
}

func parseSecret(ref string) Secret {
	name, isEnv := strings.CutPrefix(ref, "env:")
	path, isFile := strings.CutPrefix(ref, "file:")
	switch {
	case ref == "":
		return Secret{}
	case isEnv && validEnvName(name), isFile && strings.HasPrefix(path, "/") && canonical(path[1:]), isSealed(ref):
		return Secret{text: ref}
	}
	return Secret{forgotten: true}
}

func validEnvName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

func isSealed(text string) bool {
	_, err := seal.KeyID(text)
	return err == nil
}

// Reference is "env:NAME" or "file:/path", or empty for a secret that is
// none.
func (s Secret) Reference() string {
	if isSealed(s.text) {
		return ""
	}
	return s.text
}

// Sealed is the sealed text, for the worker to open, or empty for a secret
// that is not sealed.
func (s Secret) Sealed() string {
	if isSealed(s.text) {
		return s.text
	}
	return ""
}

// IsPlain reports whether the secret is a plain value, which must be sealed
// before the job can be enqueued.
func (s Secret) IsPlain() bool { return s.value != nil }

// IsZero reports whether no secret was given at all.
func (s Secret) IsZero() bool { return s == Secret{} }

// Seal seals a plain secret to the workers' public key, for one job. A secret
// of another form stays as it is.
func (s Secret) Seal(to seal.PublicKey, b seal.Binding) (Secret, error) {
	if !s.IsPlain() {
		return s, nil
	}
	text, err := seal.Seal(to, b, *s.value)
	return Secret{text: text}, err
}

// Format implements fmt.Formatter: no verb shows anything.
func (s Secret) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, redacted) }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON writes the reference or the sealed text. A plain secret has no
// JSON form.
func (s Secret) MarshalJSON() ([]byte, error) {
	switch {
	case s.IsPlain():
		return nil, errors.New("a plain secret must be sealed first: give the producer the workers' public key, or give env:NAME or file:/path")
	case s.forgotten:
		return nil, errors.New("a secret was given as a value; give env:NAME or file:/path, or seal it")
	}
	return json.Marshal(s.text)
}

// UnmarshalJSON reads a reference or a sealed text. Anything else is
// forgotten and left for Validate to report with its field.
func (s *Secret) UnmarshalJSON(data []byte) error {
	var ref string
	*s = Secret{forgotten: true}
	if json.Unmarshal(data, &ref) == nil {
		*s = parseSecret(ref)
	}
	return nil
}

func (f faults) secret(field string, s Secret, required bool) {
	switch {
	case s.forgotten:
		f.add(field, "must be a reference, env:NAME or file:/path, or be sealed (the value given is not shown)")
	case required && s.IsZero():
		f.add(field, "empty: give a reference, env:NAME or file:/path")
	}
}
