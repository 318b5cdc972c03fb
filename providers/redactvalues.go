package providers

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
)

// cutMark ends a message that was shortened.
const cutMark = "…"

// minSecretHead is in bytes. A shorter beginning of a secret reveals
// nothing, and is the end of many words.
const minSecretHead = 4

// RedactValues hides known secrets in a text that a server may have
// sent: as they are, and as a URL, JSON or base64 has them. If the
// text was shortened and ends with "…", it also hides the beginning
// of a secret at the end.
func RedactValues(text string, secrets ...string) string {
	for _, secret := range secrets {
		for _, form := range encodings(secret) {
			text = hideBeginning(strings.ReplaceAll(text, form, redacted), form)
		}
	}
	return text
}

// encodings returns the ways to write a secret, each once, the secret
// itself first.
func encodings(secret string) (forms []string) {
	if secret == "" {
		return nil
	}
	quoted, _ := json.Marshal(secret) // a string always marshals
	seen := map[string]bool{}
	for _, form := range []string{
		secret,
		url.QueryEscape(secret),
		url.PathEscape(secret),
		strings.ToLower(url.QueryEscape(secret)),
		string(quoted[1 : len(quoted)-1]),
		base64.RawStdEncoding.EncodeToString([]byte(secret)),
		base64.RawURLEncoding.EncodeToString([]byte(secret)),
	} {
		if !seen[form] {
			seen[form] = true
			forms = append(forms, form)
		}
	}
	return forms
}

// hideBeginning hides the beginning of a secret at the end of a text
// that was shortened.
func hideBeginning(text, secret string) string {
	rest, cut := strings.CutSuffix(text, cutMark)
	if !cut {
		return text
	}
	for n := min(len(secret), len(rest)); n >= minSecretHead; n-- {
		if strings.HasSuffix(rest, secret[:n]) {
			return rest[:len(rest)-n] + redacted + cutMark
		}
	}
	return text
}
