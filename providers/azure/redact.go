package azure

import (
	"errors"
	"regexp"
	"slices"

	"github.com/stevedore-jobs/stevedore/providers"
)

// secretParts are the names under which a signature or a key shows up in
// URLs, headers and connection strings.
var secretParts = regexp.MustCompile(`(?i)\b(sig|AccountKey|SharedAccessSignature|client_secret)=[^\s"'<>]+|\b(SharedKey\s+\w+:|Bearer\s+)\S+`)

const hiddenText = "[redacted]"

// redact takes everything secret out of an error's words. An unknown server,
// or a surprise in the SDK, could have put it there; a cause that holds any
// loses its type for it.
func redact(e *providers.Error, hidden []string) {
	for _, text := range []*string{&e.Code, &e.Detail, &e.Fix, &e.RequestID} {
		*text = redacted(*text, hidden)
	}
	if e.Err == nil {
		return
	}
	if told := e.Err.Error(); redacted(told, hidden) != told {
		e.Err = errors.New(redacted(told, hidden))
	}
}

func redacted(text string, hidden []string) string {
	return secretParts.ReplaceAllString(providers.RedactValues(text, hidden...), hiddenText)
}

// secrets are the values that no error may show, the token that requests are
// made with among them.
func (a access) secrets() []string {
	if a.token == nil {
		return a.hidden
	}
	if token := a.token.last.Load(); token != nil {
		return append(slices.Clone(a.hidden), *token)
	}
	return a.hidden
}
