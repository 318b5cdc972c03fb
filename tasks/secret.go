package tasks

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// Secret says where a secret is found, never what it is: "env:NAME" is a variable of the worker's environment,
// "file:/path" a file on the worker. The worker resolves it, from an allow-list that its operator sets.
//
// Every way of printing or logging a Secret gives "[redacted]"; only its JSON form shows the reference. A plain value in
// its place is dropped while it is decoded, and Validate then reports the field. The zero Secret means "none".
type Secret struct {
	ref   string
	plain bool // a value was given where a reference belongs; the value itself is not kept
}

const redacted = "[redacted]"

// SecretRef makes a Secret from "env:NAME" or "file:/path". The error does not repeat its argument.
func SecretRef(ref string) (Secret, error) {
	s := parseSecret(ref)
	if s.plain {
		return Secret{}, errors.New("a secret must be given as env:NAME or file:/path, not as a value")
	}
	return s, nil
}

func parseSecret(ref string) Secret {
	name, isEnv := strings.CutPrefix(ref, "env:")
	path, isFile := strings.CutPrefix(ref, "file:")
	switch {
	case ref == "":
		return Secret{}
	case isEnv && validEnvName(name), isFile && strings.HasPrefix(path, "/") && canonical(path[1:]):
		return Secret{ref: ref}
	}
	return Secret{plain: true}
}

func validEnvName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

// Reference is "env:NAME" or "file:/path", or empty for the zero Secret.
func (s Secret) Reference() string { return s.ref }

// IsZero reports whether no secret was given at all.
func (s Secret) IsZero() bool { return s == Secret{} }

// Format implements fmt.Formatter: no verb shows anything.
func (s Secret) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, redacted) }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON writes the reference.
func (s Secret) MarshalJSON() ([]byte, error) {
	if s.plain {
		return nil, errors.New("a secret was given as a value; give env:NAME or file:/path")
	}
	return json.Marshal(s.ref)
}

// UnmarshalJSON reads a reference. Anything else is forgotten and left for Validate to report with its field.
func (s *Secret) UnmarshalJSON(data []byte) error {
	var ref string
	*s = Secret{plain: true}
	if json.Unmarshal(data, &ref) == nil {
		*s = parseSecret(ref)
	}
	return nil
}

func (f faults) secret(field string, s Secret, required bool) {
	switch {
	case s.plain:
		f.add(field, "must be a reference, env:NAME or file:/path (the value given is not shown)")
	case required && s.IsZero():
		f.add(field, "empty: give a reference, env:NAME or file:/path")
	}
}
