package identity

import (
	"encoding/base64"
	"net/url"
	"strings"
)

// secretKind says what a secret is, in words for people. Users put
// secrets into the wrong fields. CVAT even asks for an account key in its
// field for the SAS token.
type secretKind string

const (
	kindSAS        secretKind = "a SAS token"
	kindSASURL     secretKind = "a URL with a SAS token"
	kindKey        secretKind = "an account key"
	kindConnection secretKind = "a connection string"
	kindUnknown    secretKind = ""
)

const accountKeySize = 64 // bytes

// secretKindOf recognises a secret by its form. A SAS token may still
// lack parts.
func secretKindOf(text string) secretKind {
	switch {
	case isConnectionString(text):
		return kindConnection
	case strings.HasPrefix(text, "https://"), strings.HasPrefix(text, "http://"):
		u, err := url.Parse(text)
		if err != nil || !looksLikeSAS(u.RawQuery) {
			return kindUnknown
		}
		return kindSASURL
	case looksLikeSAS(text):
		return kindSAS
	}
	key, err := base64.StdEncoding.DecodeString(text)
	if err == nil && len(key) == accountKeySize {
		return kindKey
	}
	return kindUnknown
}

// looksLikeSAS reports whether a query has at least two parameters of a
// SAS token. With this rule a token that lost its signature is still
// recognised.
func looksLikeSAS(query string) bool {
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
		case "defaultendpointsprotocol", "accountname", "accountkey", "blobendpoint",
			"sharedaccesssignature", "usedevelopmentstorage":
			return true
		}
	}
	return false
}

// trimSecret removes white space and quotes around a secret, which users
// copy along from web pages and from JSON.
func trimSecret(text string) string {
	text = strings.TrimSpace(text)
	n := len(text)
	if n >= 2 && (text[0] == '"' || text[0] == '\'') && text[n-1] == text[0] {
		text = strings.TrimSpace(text[1 : n-1])
	}
	return text
}
