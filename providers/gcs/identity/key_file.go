package identity

import (
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"log/slog"
	"slices"
	"strings"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/storage"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/gcs/gcserror"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/setting"
)

const (
	googleTokenURL = "https://oauth2.googleapis.com/token"
	googlesOwn     = "is Google's own"
	storageScope   = storage.ScopeReadWrite
)

// fromKeyFile makes the identity of a service account whose key file the
// payload refers to. Identities of the same key share their tokens.
func (s *Source) fromKeyFile(a tasks.Auth, secrets providers.Secrets) (*Identity, error) {
	text, err := secrets.Resolve(a.KeyFile)
	if err != nil {
		return nil, err
	}
	key, err := parseKeyFile(text)
	if err != nil {
		return nil, err
	}

	signIn := s.tokenEndpoint()
	opts := &auth.Options2LO{
		Email:        key.Email,
		PrivateKey:   []byte(key.PrivateKey),
		PrivateKeyID: key.PrivateKeyID,
		TokenURL:     signIn.URL,
		Scopes:       []string{storageScope},
		Client:       s.config.Client,
		// An environment variable can make the default logger write
		// tokens.
		Logger: slog.New(slog.DiscardHandler),
	}
	by := sessionKey{
		account: key.Email,
		keyID:   key.PrivateKeyID,
		key:     sha256.Sum256(opts.PrivateKey),
	}
	tokens, err := s.sessions.Get(by, func() (*session, error) {
		source, err := auth.New2LOTokenProvider(opts)
		return newSession(source), err
	})
	if err != nil {
		return nil, badKeyFile("KeyFileFormat", "lacks a field", createKeyAdvice)
	}
	return &Identity{account: key.Email, tokens: tokens, signIn: signIn}, nil
}

// tokenEndpoint returns where key files are exchanged for tokens.
func (s *Source) tokenEndpoint() providers.SignIn {
	if s.config.TokenURL == "" {
		return providers.SignIn{URL: googleTokenURL, Source: googlesOwn}
	}
	return providers.SignIn{
		URL:    s.config.TokenURL,
		Source: "is set with " + setting.GCSTokenURL.String() + " on the workers",
	}
}

// keyFile holds the fields of a service account's key file that Stevedore
// reads. The file is the payload's. Google's library, given the whole
// file, would fetch tokens from an address in it, and send files of the
// worker there.
type keyFile struct {
	Type         string `json:"type"`
	Email        string `json:"client_email"`
	PrivateKey   string `json:"private_key"`
	PrivateKeyID string `json:"private_key_id"`
	TokenURI     string `json:"token_uri"`
	Universe     string `json:"universe_domain"`
}

// tokenURIs are the addresses that Google has written into key files over
// time. All of them mean the same endpoint, and none is ever requested.
var tokenURIs = []string{
	"",
	googleTokenURL,
	"https://accounts.google.com/o/oauth2/token",
	"https://www.googleapis.com/oauth2/v4/token",
	"https://www.googleapis.com/oauth2/v3/token",
}

const createKeyAdvice = "Create a key with: " +
	"gcloud iam service-accounts keys create key.json --iam-account=EMAIL, " +
	"and give the whole file."

// parseKeyFile reads a key file. It refuses everything but a plain
// service account of Google's own cloud. Its errors never repeat a part
// of the file.
func parseKeyFile(text string) (keyFile, error) {
	var k keyFile
	if json.Unmarshal([]byte(text), &k) != nil {
		return k, badKeyFile("KeyFileFormat", "is not a JSON object", createKeyAdvice)
	}
	switch {
	case k.Type != "service_account":
		return k, badKeyFile("KeyFileType", "has a type other than service_account",
			createKeyAdvice)
	case !slices.Contains(tokenURIs, k.TokenURI):
		return k, badKeyFile("KeyFileTokenURI", "has a token_uri that is not Google's",
			"Remove token_uri from the key file, or download the key again.")
	case k.Universe != "" && k.Universe != "googleapis.com":
		return k, badKeyFile("KeyFileUniverse",
			"has a universe_domain other than googleapis.com",
			"Use a service account of Google's own cloud: other universes are not supported.")
	case !gcserror.IsServiceAccount(k.Email):
		return k, badKeyFile("KeyFileEmail",
			"has a client_email that is not a service account's", createKeyAdvice)
	}
	return k, checkPrivateKey(k.PrivateKey)
}

// checkPrivateKey finds a damaged key before the first request, which
// would fail as if the network were the cause.
func checkPrivateKey(text string) error {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		fix := createKeyAdvice
		if strings.Contains(text, `\n`) {
			fix = `The line breaks of private_key were escaped twice (\\n): ` +
				"give the file as it was downloaded."
		}
		return badKeyFile("KeyFilePrivateKey", "has a private_key that is not in PEM format", fix)
	}

	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	}
	if _, ok := key.(*rsa.PrivateKey); !ok || err != nil {
		return badKeyFile("KeyFilePrivateKey",
			"has a private_key that is not an RSA key", createKeyAdvice)
	}
	return nil
}

func badKeyFile(code, problem, fix string) error {
	return &providers.Error{
		Kind: providers.Invalid, Code: code, Detail: "auth.key_file " + problem, Fix: fix,
	}
}
