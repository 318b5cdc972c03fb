package driver

import (
	"errors"

	"github.com/stevedore-jobs/stevedore/providers"
)

// Redact replaces the secrets in every text of an error that came
// from a server or from an SDK. The function redact replaces them in
// one text. A cause that holds a secret is replaced by its text, and
// so loses its type.
func Redact(e *providers.Error, redact func(string) string) {
	for _, text := range []*string{&e.Code, &e.Detail, &e.Fix, &e.RequestID} {
		*text = redact(*text)
	}
	if e.Err == nil {
		return
	}
	text := e.Err.Error()
	if redacted := redact(text); redacted != text {
		e.Err = errors.New(redacted)
	}
}
