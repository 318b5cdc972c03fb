package gcs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/auth/credentials"
	"cloud.google.com/go/storage"
	"google.golang.org/api/googleapi"
)

const cloudPlatform = "https://www.googleapis.com/auth/cloud-platform" // what impersonating needs

// detected gives tokens of the worker's own identity: Google's application
// default credentials. They are looked for at the first use, because that can
// mean a request to the metadata server, and with Google's own client,
// because the guarded one refuses that server's address for good. Nothing of
// a payload has a say in it.
type detected struct {
	scope string

	mu    sync.Mutex
	found *auth.Credentials // guarded by mu
}

// Token implements auth.TokenProvider.
func (d *detected) Token(ctx context.Context) (*auth.Token, error) {
	found, err := d.find()
	if err != nil {
		return nil, errNoIdentity
	}
	return found.Token(ctx)
}

// errNoIdentity stands for errors that would show paths of the worker's own
// files.
var errNoIdentity = errors.New("the worker has no application default credentials")

func (d *detected) find() (*auth.Credentials, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.found != nil {
		return d.found, nil
	}
	found, err := credentials.DetectDefault(&credentials.DetectOptions{Scopes: []string{d.scope}, Logger: slog.New(slog.DiscardHandler)})
	if err == nil {
		d.found = found
	}
	return found, err
}

// impersonated gives tokens of another account, to whoever may create them
// (roles/iam.serviceAccountTokenCreator).
type impersonated struct {
	account string
	client  *http.Client // signs in as the worker
}

const (
	credentialsAPI = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/"
	maxTokenAnswer = 64 << 10 // bytes; tokens have about 1 KB
)

// Token implements auth.TokenProvider. See
// https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken
func (i *impersonated) Token(ctx context.Context) (*auth.Token, error) {
	ask, err := json.Marshal(map[string]any{"scope": []string{storage.ScopeReadWrite}, "lifetime": "3600s"})
	if err != nil {
		return nil, err
	}
	at := credentialsAPI + url.PathEscape(i.account) + ":generateAccessToken"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, at, bytes.NewReader(ask))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := i.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxTokenAnswer))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, &googleapi.Error{Code: resp.StatusCode, Header: resp.Header, Body: string(body)}
	}
	var told struct {
		AccessToken string    `json:"accessToken"`
		ExpireTime  time.Time `json:"expireTime"`
	}
	if json.Unmarshal(body, &told) != nil || told.AccessToken == "" { // the error could repeat a part of the token
		return nil, errors.New("the answer holds no token")
	}
	return &auth.Token{Value: told.AccessToken, Type: "Bearer", Expiry: told.ExpireTime}, nil
}
