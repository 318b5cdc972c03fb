package providers

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
)

const (
	redactedText = "[redacted]"
	cutMark      = "…" // with which a message ends that was too long to keep whole
	shortestHead = 4   // bytes of a secret; a shorter beginning gives nothing away, and may be any word's end
)

// RedactValues is a text without the secrets given, which a server may have
// repeated: as they are, as a URL, JSON or base64 would have them, and their
// beginnings where the text was cut off with "…".
func RedactValues(text string, secrets ...string) string {
	for _, secret := range secrets {
		for _, form := range formsOf(secret) {
			text = withoutHead(strings.ReplaceAll(text, form, redactedText), form)
		}
	}
	return text
}

// formsOf are the ways to write a secret, each once, the secret itself first.
func formsOf(secret string) (forms []string) {
	if secret == "" {
		return nil
	}
	quoted, _ := json.Marshal(secret) // a string always marshals
	seen := map[string]bool{}
	for _, form := range []string{
		secret, url.QueryEscape(secret), url.PathEscape(secret), strings.ToLower(url.QueryEscape(secret)), string(quoted[1 : len(quoted)-1]),
		base64.RawStdEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret)),
	} {
		if !seen[form] {
			seen[form] = true
			forms = append(forms, form)
		}
	}
	return forms
}

// withoutHead hides the beginning of a secret at the end of a text that was
// cut off.
func withoutHead(text, secret string) string {
	rest, cut := strings.CutSuffix(text, cutMark)
	if !cut {
		return text
	}
	for n := min(len(secret), len(rest)); n >= shortestHead; n-- {
		if strings.HasSuffix(rest, secret[:n]) {
			return rest[:len(rest)-n] + redactedText + cutMark
		}
	}
	return text
}
