package identity

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"time"

	"cloud.google.com/go/auth"
	"google.golang.org/api/googleapi"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/gcs/gcserror"
)

const (
	credentialsAPI = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/"
	// credentialsScope is the scope of the worker's token that the
	// credentials API requires.
	credentialsScope = "https://www.googleapis.com/auth/cloud-platform"
)

// impersonate makes the identity of a service account that the worker
// acts as.
func (s *Source) impersonate(account string) (*Identity, error) {
	if !gcserror.IsServiceAccount(account) {
		return nil, &providers.Error{
			Kind: providers.Invalid, Code: "ServiceAccountEmail",
			Detail: "auth.service_account is not the email of a service account",
			Fix:    "Give auth.service_account as NAME@PROJECT.iam.gserviceaccount.com.",
		}
	}
	tokens := &impersonatedTokens{
		account: account,
		worker:  newWorkerIdentity(credentialsScope),
		client:  s.config.Client,
	}
	return &Identity{
		account: account,
		tokens:  auth.NewCachedTokenProvider(tokens, nil),
		signIn:  providers.SignIn{URL: credentialsAPI, Source: googlesOwn},
	}, nil
}

// impersonatedTokens fetches tokens of a service account. The worker
// needs the role roles/iam.serviceAccountTokenCreator on it.
type impersonatedTokens struct {
	account string
	worker  *Identity
	client  *http.Client
}

// Token implements auth.TokenProvider. It calls generateAccessToken of
// https://cloud.google.com/iam/docs/reference/credentials/rest
func (t *impersonatedTokens) Token(ctx context.Context) (*auth.Token, error) {
	req, err := t.request(ctx)
	if err != nil {
		return nil, err
	}
	resp, err := t.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, &googleapi.Error{
			Code: resp.StatusCode, Header: resp.Header, Body: string(body),
		}
	}

	var answer struct {
		AccessToken string    `json:"accessToken"`
		ExpireTime  time.Time `json:"expireTime"`
	}
	// The error of json could repeat a part of the token.
	if json.Unmarshal(body, &answer) != nil || answer.AccessToken == "" {
		return nil, errNoToken
	}
	return &auth.Token{
		Value: answer.AccessToken, Type: "Bearer", Expiry: answer.ExpireTime,
	}, nil
}

func (t *impersonatedTokens) request(ctx context.Context) (*http.Request, error) {
	body, err := json.Marshal(map[string]any{
		"scope": []string{storageScope}, "lifetime": "3600s",
	})
	if err != nil {
		return nil, err
	}
	at := credentialsAPI + url.PathEscape(t.account) + ":generateAccessToken"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, at, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	return req, t.worker.Authorize(req)
}
