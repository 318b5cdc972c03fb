package gcs

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"regexp"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/storage"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// login is how a bucket proves who it is. The zero value is anonymous.
type login struct {
	method string
	name   string             // the account's email where it is known without asking
	tokens auth.TokenProvider // nil for anonymous
	signIn providers.SignIn   // where tokens come from, unless it is the worker's own affair
}

func (l login) anonymous() bool { return l.tokens == nil }

// member is the account as IAM policies name it; empty when it is not known.
func (l login) member() string {
	switch {
	case l.anonymous():
		return "allUsers"
	case l.name != "":
		return "serviceAccount:" + l.name
	}
	return ""
}

// loginOf makes the login of a storage. It makes no request.
func (o *Opener) loginOf(s tasks.Storage, secrets providers.Secrets) (login, error) {
	var l login
	var err error
	switch s.Auth.Method {
	case tasks.AuthAnonymous:
		return login{method: s.Auth.Method}, nil
	case tasks.AuthKeyFile:
		l, err = o.keyFile(s.Auth, secrets)
	case tasks.AuthWorkerIdentity, tasks.AuthImpersonation:
		l, err = o.worker(s)
	default:
		err = &providers.Error{
			Kind: providers.Invalid, Code: "AuthNotSupported", Detail: fmt.Sprintf("provider gcs has no method %q", s.Auth.Method),
			Fix: "Use key-file, worker-identity, impersonation or anonymous.",
		}
	}
	var e *providers.Error
	if errors.As(err, &e) && e.Op != "resolve" {
		e.Op, e.Bucket = "open", s.Bucket
	}
	l.method = s.Auth.Method
	return l, err
}

func (o *Opener) keyFile(a tasks.Auth, secrets providers.Secrets) (login, error) {
	text, err := secrets.Resolve(a.KeyFile)
	if err != nil {
		return login{}, err
	}
	key, err := parseKey(text)
	if err != nil {
		return login{}, err
	}
	opts := &auth.Options2LO{
		Email: key.Email, PrivateKey: []byte(key.PrivateKey), PrivateKeyID: key.PrivateKeyID,
		TokenURL: o.TokenURL, Scopes: []string{storage.ScopeReadWrite}, Client: o.Client,
		Logger: slog.New(slog.DiscardHandler), // an environment variable makes the default one log tokens
	}
	at := providers.SignIn{URL: o.TokenURL, Source: "is set with " + TokenURLSetting + " on the workers"}
	if opts.TokenURL == "" {
		opts.TokenURL = googleTokenURL
		at = providers.SignIn{URL: googleTokenURL, Source: googlesOwn}
	}
	by := proof{key.Email, key.PrivateKeyID, sha256.Sum256(opts.PrivateKey)}
	tokens, err := o.signIns.Get(by, func() (*signIn, error) {
		source, err := auth.New2LOTokenProvider(opts)
		return newSignIn(source), err
	})
	if err != nil {
		return login{}, badKey("KeyFileFormat", "auth.key_file lacks a field", newKey)
	}
	return login{name: key.Email, tokens: tokens, signIn: at}, nil
}

// worker uses the worker's own identity, if that is allowed.
func (o *Opener) worker(s tasks.Storage) (login, error) {
	switch {
	case !o.WorkerIdentity:
		return login{}, &providers.Error{
			Kind: providers.Denied, Code: "WorkerIdentityNotAllowed", Detail: "payloads may not use the worker's own identity here",
			Fix: "Use method key-file, or let the workers' operator add gcs to " + Setting + ".",
		}
	case s.Endpoint != "": // whoever listens there would get a token of the worker's
		return login{}, &providers.Error{
			Kind: providers.Denied, Code: "WorkerIdentityEndpoint", Detail: "the worker's own identity is shown to Google only",
			Fix: "Remove storage.endpoint, or use method key-file or anonymous.",
		}
	case s.Auth.Method == tasks.AuthWorkerIdentity:
		return login{tokens: auth.NewCachedTokenProvider(&detected{scope: storage.ScopeReadWrite}, nil)}, nil
	case !isAccount(s.Auth.ServiceAccount):
		return login{}, &providers.Error{
			Kind: providers.Invalid, Code: "ServiceAccountEmail", Detail: "auth.service_account is not the email of a service account",
			Fix: "Give auth.service_account as NAME@PROJECT.iam.gserviceaccount.com.",
		}
	}
	own := auth.NewCachedTokenProvider(&detected{scope: cloudPlatform}, nil)
	client := *o.Client
	client.Transport = &bearer{who: login{tokens: own}, next: transportOf(o.Client)}
	acting := &impersonated{account: s.Auth.ServiceAccount, client: &client}
	return login{
		name: s.Auth.ServiceAccount, tokens: auth.NewCachedTokenProvider(acting, nil),
		signIn: providers.SignIn{URL: credentialsAPI, Source: googlesOwn},
	}, nil
}

var account = regexp.MustCompile(`^[a-z0-9][a-z0-9.:-]{0,99}@[a-z0-9][a-z0-9.-]{0,99}\.gserviceaccount\.com$`)

// isAccount is strict because the email becomes part of a URL that the
// worker's own identity signs for.
func isAccount(email string) bool { return account.MatchString(email) }
