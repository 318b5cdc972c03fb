package azure

import (
	"encoding/base64"
	"net/url"
	"strings"
)

// pasted is what a secret's text turns out to be. People paste the right
// secret into the wrong field, and CVAT's own page tells them to put an
// account key into the field of the SAS token.
type pasted string

const (
	pastedSAS        pasted = "a SAS token"
	pastedSASURL     pasted = "a URL with a SAS token"
	pastedKey        pasted = "an account key"
	pastedConnection pasted = "a connection string"
	pastedOther      pasted = ""
)

const accountKeySize = 64 // bytes

// kindOfSecret looks at the form alone; what it calls a SAS token may still
// lack parts.
func kindOfSecret(text string) pasted {
	switch {
	case isConnectionString(text):
		return pastedConnection
	case strings.HasPrefix(text, "https://"), strings.HasPrefix(text, "http://"):
		u, err := url.Parse(text)
		if err != nil || !looksSigned(u.RawQuery) {
			return pastedOther
		}
		return pastedSASURL
	case looksSigned(text):
		return pastedSAS
	}
	if key, err := base64.StdEncoding.DecodeString(text); err == nil && len(key) == accountKeySize {
		return pastedKey
	}
	return pastedOther
}

// looksSigned finds two names of a SAS token's parts in a query: enough to
// tell a token that lost its signature from something else.
func looksSigned(query string) bool {
	found := 0
	for part := range strings.SplitSeq(strings.TrimLeft(query, "?&"), "&") {
		switch name, _, _ := strings.Cut(part, "="); name {
		case "sig", "se", "sv", "sp", "sr", "srt", "si":
			found++
		}
	}
	return found >= 2
}

func isConnectionString(text string) bool {
	for field := range strings.SplitSeq(text, ";") {
		name, _, _ := strings.Cut(field, "=")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "defaultendpointsprotocol", "accountname", "accountkey", "blobendpoint", "sharedaccesssignature", "usedevelopmentstorage":
			return true
		}
	}
	return false
}

// trimmed takes off what comes along when a secret is copied from a page or
// from JSON.
func trimmed(text string) string {
	text = strings.TrimSpace(text)
	if n := len(text); n >= 2 && (text[0] == '"' || text[0] == '\'') && text[n-1] == text[0] {
		text = strings.TrimSpace(text[1 : n-1])
	}
	return text
}
