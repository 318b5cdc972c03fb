package providers

import (
	"regexp"
	"strings"
)

// redactions lists what RedactPatterns hides, and what it puts in its
// place. Together they cover plain text and URL-encoded text, encoded
// any number of times: %(25)*3D matches "=" in all of these.
var redactions = []struct {
	secret *regexp.Regexp
	with   string
}{
	// PEM (RFC 7468), up to its end or the end of the text.
	{regexp.MustCompile(`(?s)-----BEGIN[^-]*-----.*?(?:-----END[^-]*-----|\z)`), redacted},
	// Authorization and cookies: the rest of the line, because
	// schemes differ in what may follow.
	{regexp.MustCompile(`(?i)((?:authorization|set-cookie|cookie)["\\]*\s*(?::|=|%(?:25)*3[AD])\s*)(?:"(?:\\.|[^"\\])*"?|\[[^\]\r\n]*\]?|[^\r\n]+)`), "$1" + redacted},
	{regexp.MustCompile(`(?i)\b((?:bearer|basic|sharedkey(?:lite)?)(?:\s+|\+|%(?:25)*20))[\w.~+/=:%-]{16,}`), "$1" + redacted},
	// A shared access signature contains "&", so it ends where a
	// field of a connection string ends.
	{regexp.MustCompile(`(?i)(SharedAccessSignature\s*(?:=|%(?:25)*3D)\s*)[^\s;"'<>]+`), "$1" + redacted},
	// Fields of JSON, also of JSON in a string.
	{regexp.MustCompile(`(?i)(\\*"(?:` + secretNames + `|private_key)\\*"\s*:\s*\\*")[^"\\]+`), "$1" + redacted},
	// Parameters of URLs, forms and connection strings. A plain one
	// ends at "&", an encoded one at "%26" too.
	{regexp.MustCompile(`(?i)((?:^|[^a-z0-9]|%(?:25)*[0-9a-f]{2})(?:(?:` + secretNames + `)\s*=|x-(?:amz|goog)-(?:signature|credential|security-token)\s*:)\s*)(?:"[^"]*"?|'[^']*'?|[^\s&;,"'<>]+)`), "$1" + redacted},
	{regexp.MustCompile(`(?i)((?:^|[^a-z0-9]|%(?:25)*[0-9a-f]{2})(?:` + secretNames + `)%(?:25)*3D)(?:[^\s&;,"'<>%]|%(?:25)*(?:[013-9a-f][0-9a-f]|2[0-57-9a-f]))+`), "$1" + redacted},
	// User and password before a host.
	{regexp.MustCompile(`(?i)(\b[a-z][a-z0-9+.-]*://)[^/\s?#"'<>]*@`), "$1" + redacted + "@"},
	{regexp.MustCompile(`(?i)(%(?:25)*3A%(?:25)*2F%(?:25)*2F)(?:[^\s%/@"'<>]|%(?:25)*(?:[013-9a-f][0-9a-f]|2[0-9a-e]|4[1-9a-f]))*%(?:25)*40`), "$1" + redacted + "@"},
}

const redacted = "[redacted]"

// secretNames matches the names of parameters and fields whose values
// are secrets: those of AWS Signature Version 4, Google's signed
// URLs, Azure's SAS tokens and connection strings, OAuth 2.0, and
// payloads.
const secretNames = `sig|signature|credential|x-amz-(?:signature|credential|security-token)|x-goog-(?:signature|credential)` +
	`|accountkey|account_key|sharedaccesskey|sas_token|(?:aws_)?secret_access_key|secretaccesskey|(?:aws_)?session_token|sessiontoken` +
	`|client_secret|client_assertion|assertion|access_token|accesstoken|refresh_token|id_token|password|passwd`

// RedactPatterns hides what looks like a secret in a text that is
// about to be logged or shown: signatures, tokens, keys, PEM blocks,
// Authorization values, user and password of a URL. It is the last
// defence, for texts of libraries and servers. It does not find a
// secret without a name or form that gives it away: RedactValues
// does. In doubt it hides too much.
func RedactPatterns(text string) string {
	if !strings.ContainsAny(text, "=:%-+ ") {
		return text
	}
	for _, r := range redactions {
		text = r.secret.ReplaceAllString(text, r.with)
	}
	return text
}
