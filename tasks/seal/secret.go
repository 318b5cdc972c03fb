package seal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/stevedore-jobs/stevedore/tasks/fields"
)

// Secret is a secret that a job needs, in one of three forms:
//
//   - a reference: "env:NAME" is a variable of the worker's environment,
//     "file:/path" a file on the worker. The worker resolves it, if a list
//     that its operator sets allows it;
//   - sealed: "sealed:<key ID>:<text>", which only the workers can open, and
//     only for one job and one bucket;
//   - plain, made by NewPlain: inside the process of a producer only, until the
//     producer has sealed it.
//
// Printing or logging a Secret always gives "[redacted]". Its JSON form
// is the reference or the sealed text; a plain secret has none. A plain
// value in JSON is dropped while it is decoded, and Check then reports
// the field. The zero Secret means that none was given.
type Secret struct {
	text string // the reference or the sealed text
	// dropped says that JSON held a value instead of a reference. The
	// value itself is not stored.
	dropped bool
	// value is a plain secret. It is a pointer, because fmt prints the
	// unexported fields of a struct that holds a Secret.
	value *string
}

// NewReference makes a Secret of "env:NAME" or "file:/path", or of a
// sealed text. The error does not repeat its argument.
func NewReference(ref string) (Secret, error) {
	s := parseSecret(ref)
	if s.dropped {
		return Secret{}, errors.New("a secret must be given as env:NAME or file:/path, " +
			"or sealed, not as a value")
	}
	return s, nil
}

// NewPlain makes a Secret of a value, for a producer that has the
// public key of the workers: enqueuing seals it. It never leaves the
// process in any other form. The empty value gives the zero Secret.
func NewPlain(value string) Secret {
	if value == "" {
		return Secret{}
	}
	return Secret{value: &value}
}

func parseSecret(ref string) Secret {
	name, isEnv := strings.CutPrefix(ref, "env:")
	path, isFile := strings.CutPrefix(ref, "file:/")
	switch {
	case ref == "":
		return Secret{}
	case isEnv && validEnvName(name), isFile && fields.IsCanonical(path), isSealed(ref):
		return Secret{text: ref}
	}
	return Secret{dropped: true}
}

func validEnvName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

func isSealed(text string) bool {
	_, err := KeyID(text)
	return err == nil
}

// Reference returns "env:NAME" or "file:/path", or an empty string for
// a secret of another form.
func (s Secret) Reference() string {
	if isSealed(s.text) {
		return ""
	}
	return s.text
}

// Sealed returns the sealed text, for the worker to open, or an empty
// string for a secret that is not sealed.
func (s Secret) Sealed() string {
	if isSealed(s.text) {
		return s.text
	}
	return ""
}

// IsPlain reports whether the secret is a plain value, which must be
// sealed before the job can be enqueued.
func (s Secret) IsPlain() bool { return s.value != nil }

// IsZero reports whether no secret was given at all.
func (s Secret) IsZero() bool { return s == Secret{} }

// Seal seals a plain secret to the public key of the workers, for one
// job and one bucket. A secret of another form is returned as it is.
func (s Secret) Seal(to PublicKey, b Binding) (Secret, error) {
	if !s.IsPlain() {
		return s, nil
	}
	text, err := Seal(to, b, *s.value)
	return Secret{text: text}, err
}

// Blank returns the secret in a form that can be compared: all sealed
// secrets give the same one, because each sealing of a value gives
// another text.
func (s Secret) Blank() Secret {
	if s.Sealed() != "" {
		return Secret{text: "sealed"}
	}
	return s
}

// Check adds a fault of a payload's field: the secret was given as a
// value, or it is required and was not given.
func (s Secret) Check(errs *fields.Errors, field string, required bool) {
	switch {
	case s.dropped:
		errs.Add(field, "must be a reference, env:NAME or file:/path, "+
			"or be sealed (the value given is not shown)")
	case required && s.IsZero():
		errs.Add(field, "empty: give a reference, env:NAME or file:/path")
	}
}

// Format implements fmt.Formatter: no verb shows the secret.
func (s Secret) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, redacted) }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON writes the reference or the sealed text. A plain secret
// has no JSON form.
func (s Secret) MarshalJSON() ([]byte, error) {
	switch {
	case s.IsPlain():
		return nil, errors.New("a plain secret must be sealed first: " +
			"give the producer the workers' public key, or give env:NAME or file:/path")
	case s.dropped:
		return nil, errors.New("a secret was given as a value: " +
			"give env:NAME or file:/path, or seal it")
	}
	return json.Marshal(s.text)
}

// UnmarshalJSON reads a reference or a sealed text. Anything else is
// dropped, and left for Check to report with its field.
func (s *Secret) UnmarshalJSON(data []byte) error {
	var ref string
	*s = Secret{dropped: true}
	if json.Unmarshal(data, &ref) == nil {
		*s = parseSecret(ref)
	}
	return nil
}
