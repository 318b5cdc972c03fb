package identity

import (
	"regexp"
	"slices"

	"github.com/stevedore-jobs/stevedore/providers"
)

// secretParts matches a signature or a key as it appears in URLs, headers
// and connection strings.
var secretParts = regexp.MustCompile(`(?i)\b(sig|AccountKey|SharedAccessSignature|client_secret)` +
	`=[^\s"'<>]+|\b(SharedKey\s+\w+:|Bearer\s+)\S+`)

const redacted = "[redacted]"

// Redact replaces in a text every secret that requests were sent with,
// and everything that looks like one. Servers and the SDK could put them
// into errors.
func (i *Identity) Redact(text string) string {
	return secretParts.ReplaceAllString(providers.RedactValues(text, i.allSecrets()...), redacted)
}

func (i *Identity) allSecrets() []string {
	if i.session == nil {
		return i.secrets
	}
	if token := i.session.lastToken(); token != "" {
		return append(slices.Clone(i.secrets), token)
	}
	return i.secrets
}
