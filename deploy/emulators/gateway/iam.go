package gateway

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

// Keys are what a user signs requests with.
type Keys struct {
	AccessKeyID     string `xml:"CreateAccessKeyResult>AccessKey>AccessKeyId" json:"access_key_id"`
	SecretAccessKey string `xml:"CreateAccessKeyResult>AccessKey>SecretAccessKey" json:"secret_access_key"`
}

// IAM calls the few actions of the IAM API that the emulators need,
// as the root account. It is safe for concurrent use.
type IAM struct {
	http *http.Client
	root Keys
}

// IAM returns a client of the gateway's IAM service.
func (g *Gateway) IAM() IAM {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", g.iamSocket)
	}
	return IAM{
		http: &http.Client{
			Transport: &http.Transport{DialContext: dial},
			Timeout:   10 * time.Second,
		},
		root: g.root,
	}
}

// CreateUser makes a user with one inline policy and one access key.
// The policy is a JSON document as AWS takes it.
func (c IAM) CreateUser(ctx context.Context, name, policy string) (k Keys, err error) {
	user := url.Values{"UserName": {name}}
	if _, err = c.call(ctx, "CreateUser", user); err != nil {
		return k, err
	}
	document := url.Values{
		"UserName": {name}, "PolicyName": {"policy"}, "PolicyDocument": {policy},
	}
	if _, err = c.call(ctx, "PutUserPolicy", document); err != nil {
		return k, err
	}
	answer, err := c.call(ctx, "CreateAccessKey", user)
	if err != nil {
		return k, err
	}
	return k, xml.Unmarshal(answer, &k)
}

// DeleteUser removes what CreateUser made.
func (c IAM) DeleteUser(ctx context.Context, name, accessKeyID string) error {
	for _, step := range []struct {
		action     string
		parameters url.Values
	}{
		{"DeleteAccessKey", url.Values{"UserName": {name}, "AccessKeyId": {accessKeyID}}},
		{"DeleteUserPolicy", url.Values{"UserName": {name}, "PolicyName": {"policy"}}},
		{"DeleteUser", url.Values{"UserName": {name}}},
	} {
		if _, err := c.call(ctx, step.action, step.parameters); err != nil {
			return err
		}
	}
	return nil
}

// call signs and sends one request and returns the body of the
// answer.
func (c IAM) call(ctx context.Context, action string, parameters url.Values) ([]byte, error) {
	parameters.Set("Action", action)
	parameters.Set("Version", "2010-05-08")
	body := parameters.Encode()
	req, err := http.NewRequestWithContext(
		ctx, http.MethodPost, "http://iam.localhost/", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")

	sum := sha256.Sum256([]byte(body))
	credentials := aws.Credentials{
		AccessKeyID:     c.root.AccessKeyID,
		SecretAccessKey: c.root.SecretAccessKey,
	}
	err = v4.NewSigner().SignHTTP(
		ctx, credentials, req, hex.EncodeToString(sum[:]), "iam", Region, time.Now())
	if err != nil {
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
