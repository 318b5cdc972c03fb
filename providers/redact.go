package providers

import (
	"regexp"
	"strings"
)

// redactions are what is hidden, and what is put in its place. Each works on
// plain text and on URL-encoded text, encoded any number of times: %(25)*3D
// is "=" in all of them.
var redactions = []struct {
	secret *regexp.Regexp
	with   string
}{
	// PEM (RFC 7468), up to its end or that of the text.
	{regexp.MustCompile(`(?s)-----BEGIN[^-]*-----.*?(?:-----END[^-]*-----|\z)`), redacted},
	// Authorization and its kin take the rest of the line, because schemes
	// differ in what may follow.
	{regexp.MustCompile(`(?i)((?:authorization|set-cookie|cookie)["\\]*\s*(?::|=|%(?:25)*3[AD])\s*)(?:"(?:\\.|[^"\\])*"?|\[[^\]\r\n]*\]?|[^\r\n]+)`), "$1" + redacted},
	{regexp.MustCompile(`(?i)\b((?:bearer|basic|sharedkey(?:lite)?)(?:\s+|\+|%(?:25)*20))[\w.~+/=:%-]{16,}`), "$1" + redacted},
	// A shared access signature holds "&": it ends where a field of a
	// connection string does.
	{regexp.MustCompile(`(?i)(SharedAccessSignature\s*(?:=|%(?:25)*3D)\s*)[^\s;"'<>]+`), "$1" + redacted},
	// Fields of JSON, perhaps JSON in a string.
	{regexp.MustCompile(`(?i)(\\*"(?:` + secretNames + `|private_key)\\*"\s*:\s*\\*")[^"\\]+`), "$1" + redacted},
	// Parameters of URLs, forms and connection strings: in plain form they
	// end at "&", in encoded form at "%26" too.
	{regexp.MustCompile(`(?i)((?:^|[^a-z0-9]|%(?:25)*[0-9a-f]{2})(?:(?:` + secretNames + `)\s*=|x-(?:amz|goog)-(?:signature|credential|security-token)\s*:)\s*)(?:"[^"]*"?|'[^']*'?|[^\s&;,"'<>]+)`), "$1" + redacted},
	{regexp.MustCompile(`(?i)((?:^|[^a-z0-9]|%(?:25)*[0-9a-f]{2})(?:` + secretNames + `)%(?:25)*3D)(?:[^\s&;,"'<>%]|%(?:25)*(?:[013-9a-f][0-9a-f]|2[0-57-9a-f]))+`), "$1" + redacted},
	// User and password before a host.
	{regexp.MustCompile(`(?i)(\b[a-z][a-z0-9+.-]*://)[^/\s?#"'<>]*@`), "$1" + redacted + "@"},
	{regexp.MustCompile(`(?i)(%(?:25)*3A%(?:25)*2F%(?:25)*2F)(?:[^\s%/@"'<>]|%(?:25)*(?:[013-9a-f][0-9a-f]|2[0-9a-e]|4[1-9a-f]))*%(?:25)*40`), "$1" + redacted + "@"},
}

const redacted = "[redacted]"

// secretNames are the parameters and fields whose values are secrets: of AWS
// Signature Version 4, of Google's signed URLs, of Azure's SAS tokens and
// connection strings, of OAuth 2.0, and of payloads.
const secretNames = `sig|signature|credential|x-amz-(?:signature|credential|security-token)|x-goog-(?:signature|credential)` +
	`|accountkey|account_key|sharedaccesskey|sas_token|(?:aws_)?secret_access_key|secretaccesskey|(?:aws_)?session_token|sessiontoken` +
	`|client_secret|client_assertion|assertion|access_token|accesstoken|refresh_token|id_token|password|passwd`

// RedactPatterns hides what looks like a secret in a text that is about to be logged
// or shown, whatever it came from: signatures, tokens, keys, PEM blocks,
// Authorization values, user and password of a URL. It is the last net, for
// texts of libraries and servers; it cannot know a secret that stands there
// bare. It hides too much rather than too little.
func RedactPatterns(text string) string {
	if !strings.ContainsAny(text, "=:%-+ ") {
		return text
	}
	for _, r := range redactions {
		text = r.secret.ReplaceAllString(text, r.with)
	}
	return text
}
