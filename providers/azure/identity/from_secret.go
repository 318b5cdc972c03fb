package identity

import (
	"cmp"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// The payload's fields for secrets.
const (
	sasField        = "auth.sas_token"
	keyField        = "auth.account_key"
	connectionField = "auth.connection_string"
)

// fromSecret makes an identity of a secret. It uses the secret as what it
// is, not as what its field is called, and records a difference in
// Misplaced.
func fromSecret(
	st tasks.Storage, secrets providers.Secrets, field string, secret tasks.Secret,
) (*Identity, error) {
	text, err := secrets.Resolve(secret)
	if err != nil {
		return nil, err
	}
	text = trimSecret(text)
	kind := secretKindOf(text)

	var id *Identity
	switch kind {
	case kindConnection:
		id, err = fromConnectionString(st, text)
	case kindSAS, kindSASURL:
		id, err = fromSAS(st, field, text)
	case kindKey:
		id, err = fromKey(st, field, text)
	case kindUnknown:
		err = invalid("SecretNotUnderstood",
			field+" holds neither a SAS token nor an account key nor a connection string",
			"Copy it again, whole: a SAS token has sig= in it, an account key ends in ==, "+
				"a connection string starts with a name and =.")
	}
	if err != nil {
		return nil, err
	}
	if !belongs(kind, field) {
		id.Misplaced = field + " holds " + string(kind)
	}
	id.secrets = append(id.secrets, text)
	return id, nil
}

// belongs reports whether a field is meant for a kind of secret. A URL
// with a SAS token is accepted in every field.
func belongs(kind secretKind, field string) bool {
	switch kind {
	case kindSAS:
		return field == sasField
	case kindKey:
		return field == keyField
	case kindConnection:
		return field == connectionField
	}
	return true
}

func fromKey(st tasks.Storage, field, key string) (*Identity, error) {
	service, err := serviceURL(st)
	if err != nil {
		return nil, err
	}
	account := cmp.Or(st.Account, accountOf(service))
	credential, err := container.NewSharedKeyCredential(account, key)
	if err != nil || account == "" {
		return nil, invalid("AccountKeyInvalid", field+": not an account key with its account",
			"Copy the key again from the portal: Access keys; and give account.")
	}
	return &Identity{
		Service: service, account: account, key: credential, secrets: []string{key},
	}, nil
}

func fromSAS(st tasks.Storage, field, text string) (*Identity, error) {
	service, err := serviceURL(st)
	if err != nil {
		return nil, err
	}
	_, query, isURL := strings.Cut(text, "?")
	if isURL && strings.Contains(text, "://") {
		if err := checkSASURL(st, field, service, text); err != nil {
			return nil, err
		}
		text = query
	}
	token, err := ParseSAS(field, text)
	if err != nil {
		return nil, err
	}
	return &Identity{
		Service: service, account: st.Account, SAS: token, secrets: token.secrets(),
	}, nil
}

// checkSASURL returns an error for a SAS URL of another container than
// the payload's.
func checkSASURL(st tasks.Storage, field, service, text string) error {
	u, err := url.Parse(text)
	if err != nil {
		return invalid("SASMalformed", field+" is not a URL", "Copy the SAS token alone.")
	}
	at := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	rest, ok := strings.CutPrefix(at.String()+"/", service+"/")
	name, _, _ := strings.Cut(rest, "/")
	if ok && (name == "" || name == st.Bucket) {
		return nil
	}
	return invalid("SASURLDiffers",
		field+" is a URL of "+at.Redacted()+", not of container "+st.Bucket+" at "+service,
		"Give the SAS of this container, or correct account, endpoint and bucket.")
}

func fromConnectionString(st tasks.Storage, text string) (*Identity, error) {
	c, err := parseConnectionString(text)
	if err != nil {
		return nil, err
	}
	if err := checkAccount(connectionField, c.account, st.Account); err != nil {
		return nil, err
	}
	st.Account = cmp.Or(c.account, st.Account)
	var name string
	if c.endpoint, name = splitContainer(c.endpoint, st); name != "" && name != st.Bucket {
		return nil, invalid("ContainerDiffers",
			connectionField+" is for container "+name+", and bucket is "+st.Bucket,
			"Copy the connection string of the container, or correct bucket.")
	}
	given := strings.TrimRight(st.Endpoint, "/")
	if given != "" && c.endpoint != "" && given != c.endpoint {
		return nil, invalid("EndpointDiffers",
			"endpoint and auth.connection_string name different servers",
			"Leave endpoint out: the connection string has one.")
	}

	st.Endpoint = cmp.Or(c.endpoint, st.Endpoint)
	if c.sas != "" {
		return fromSAS(st, connectionField, c.sas)
	}
	return fromKey(st, connectionField, c.key)
}
