package gcs

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"slices"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
)

// serviceKey is what Stevedore takes of a service-account key file. The file
// comes from whoever enqueues: handed to Google's library as it is, it could
// name other places to fetch tokens from, and files of the worker to send
// there.
type serviceKey struct {
	Type         string `json:"type"`
	Email        string `json:"client_email"`
	PrivateKey   string `json:"private_key"`
	PrivateKeyID string `json:"private_key_id"`
	TokenURI     string `json:"token_uri"`
	Universe     string `json:"universe_domain"`
}

// tokenURIs are those that Google has written into key files. They all mean
// the same; none of them is asked.
var tokenURIs = []string{
	"", googleTokenURL, "https://accounts.google.com/o/oauth2/token", "https://www.googleapis.com/oauth2/v4/token",
	"https://www.googleapis.com/oauth2/v3/token",
}

const newKey = "Create a key with: gcloud iam service-accounts keys create key.json --iam-account=EMAIL, and give the whole file."

// parseKey reads a key file and refuses everything but a plain service
// account of Google's own cloud.
func parseKey(text string) (serviceKey, error) {
	var k serviceKey
	if json.Unmarshal([]byte(text), &k) != nil { // the error could repeat a part of the key
		return k, badKey("KeyFileFormat", "auth.key_file is not a JSON object", newKey)
	}
	switch {
	case k.Type != "service_account":
		return k, badKey("KeyFileType", "auth.key_file: type is not service_account", newKey)
	case !slices.Contains(tokenURIs, k.TokenURI):
		return k, badKey("KeyFileTokenURI", "auth.key_file: token_uri is not Google's", "Remove token_uri from the key file, or download the key again.")
	case k.Universe != "" && k.Universe != "googleapis.com":
		return k, badKey("KeyFileUniverse", "auth.key_file: universe_domain is not googleapis.com", "Use a service account of Google's own cloud: other universes are not supported.")
	case !isAccount(k.Email):
		return k, badKey("KeyFileEmail", "auth.key_file: client_email is not that of a service account", newKey)
	}
	return k, checkPrivateKey(k.PrivateKey)
}

// checkPrivateKey tells a damaged key before the first request, where it
// would look like trouble of the network.
func checkPrivateKey(text string) error {
	const field = "auth.key_file: private_key "
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		fix := newKey
		if strings.Contains(text, `\n`) {
			fix = `The line breaks of private_key were escaped twice (\\n): give the file as it was downloaded.`
		}
		return badKey("KeyFilePrivateKey", field+"is not in PEM format", fix)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	}
	if _, ok := key.(*rsa.PrivateKey); !ok || err != nil {
		return badKey("KeyFilePrivateKey", field+"is not an RSA key", newKey)
	}
	return nil
}

func badKey(code, detail, fix string) error {
	return &providers.Error{Op: "open", Kind: providers.Invalid, Code: code, Detail: detail, Fix: fix}
}
