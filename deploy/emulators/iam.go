package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const region = "us-east-1"

// iamClient speaks the few actions of the IAM API that tests need, as the
// root account.
type iamClient struct {
	http        *http.Client
	credentials aws.Credentials
}

func newIAMClient(g *gateway) iamClient {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", g.iamSocket)
	}
	return iamClient{
		http:        &http.Client{Transport: &http.Transport{DialContext: dial}, Timeout: 10 * time.Second},
		credentials: aws.Credentials{AccessKeyID: g.access, SecretAccessKey: g.secret},
	}
}

// keys are what a user signs requests with.
type keys struct {
	AccessKeyID     string `xml:"CreateAccessKeyResult>AccessKey>AccessKeyId" json:"access_key_id"`
	SecretAccessKey string `xml:"CreateAccessKeyResult>AccessKey>SecretAccessKey" json:"secret_access_key"`
}

// createUser makes a user with one inline policy, the JSON document that AWS
// takes, and one access key.
func (c iamClient) createUser(ctx context.Context, name, policy string) (k keys, err error) {
	user := url.Values{"UserName": {name}}
	if _, err = c.call(ctx, "CreateUser", user); err != nil {
		return k, err
	}
	document := url.Values{"UserName": {name}, "PolicyName": {"policy"}, "PolicyDocument": {policy}}
	if _, err = c.call(ctx, "PutUserPolicy", document); err != nil {
		return k, err
	}
	answer, err := c.call(ctx, "CreateAccessKey", user)
	if err != nil {
		return k, err
	}
	return k, xml.Unmarshal(answer, &k)
}

func (c iamClient) deleteUser(ctx context.Context, name, accessKeyID string) error {
	for _, step := range []struct {
		action string
		params url.Values
	}{
		{"DeleteAccessKey", url.Values{"UserName": {name}, "AccessKeyId": {accessKeyID}}},
		{"DeleteUserPolicy", url.Values{"UserName": {name}, "PolicyName": {"policy"}}},
		{"DeleteUser", url.Values{"UserName": {name}}},
	} {
		if _, err := c.call(ctx, step.action, step.params); err != nil {
			return err
		}
	}
	return nil
}

func (c iamClient) call(ctx context.Context, action string, params url.Values) ([]byte, error) {
	params.Set("Action", action)
	params.Set("Version", "2010-05-08")
	body := params.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://iam.localhost/", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	sum := sha256.Sum256([]byte(body))
	if err := v4.NewSigner().SignHTTP(ctx, c.credentials, req, hex.EncodeToString(sum[:]), "iam", region, time.Now()); err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", action, resp.Status, answer)
	}
	return answer, err
}
