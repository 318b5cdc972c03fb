package identity

import (
	"cmp"
	"net/url"
	"strings"
)

// connection holds what a connection string says. Its format is that of
// "Configure Azure Storage connection strings".
type connection struct {
	account  string
	key      string
	sas      string
	endpoint string // of the blob service; empty when the string names only the account
}

const copyConnectionAdvice = "Copy the whole connection string again."

// parseConnectionString reads a connection string. Its errors name fields
// and never repeat a value.
func parseConnectionString(text string) (connection, error) {
	fields, err := connectionFields(text)
	if err != nil {
		return connection{}, err
	}
	c := connection{
		account: fields["accountname"],
		key:     fields["accountkey"],
		sas:     fields["sharedaccesssignature"],
	}
	if fields["usedevelopmentstorage"] != "" {
		return connection{}, badConnection("UseDevelopmentStorage names no server",
			"Give the emulator's BlobEndpoint, AccountName and AccountKey.")
	}
	if (c.key == "") == (c.sas == "") {
		return connection{}, badConnection(
			"it holds neither or both of AccountKey and SharedAccessSignature",
			"Copy the connection string again from the portal: "+
				"Access keys, or Shared access signature.")
	}

	if c.endpoint, err = blobEndpoint(fields); err != nil {
		return connection{}, err
	}
	c.account = cmp.Or(c.account, accountOf(c.endpoint))
	if c.key != "" && c.account == "" {
		return connection{}, badConnection("AccountKey without AccountName",
			copyConnectionAdvice)
	}
	return c, nil
}

// connectionFields returns the fields by their names in lower case.
func connectionFields(text string) (map[string]string, error) {
	fields := map[string]string{}
	for field := range strings.SplitSeq(text, ";") {
		if field = strings.TrimSpace(field); field == "" {
			continue
		}
		name, value, ok := strings.Cut(field, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if _, twice := fields[name]; !ok || twice {
			return nil, badConnection("it is not a list of name=value, each once",
				copyConnectionAdvice)
		}
		fields[name] = strings.TrimSpace(value)
	}
	return fields, nil
}

// blobEndpoint returns the endpoint that a connection string holds, as a
// URL or in parts. It is empty when the string has no endpoint.
func blobEndpoint(fields map[string]string) (string, error) {
	if given := fields["blobendpoint"]; given != "" {
		if !isPlainURL(given) {
			return "", badConnection("BlobEndpoint is not a plain http or https URL",
				copyConnectionAdvice)
		}
		scheme, rest, _ := strings.Cut(given, "://")
		return strings.ToLower(scheme) + "://" + strings.TrimRight(rest, "/"), nil
	}

	account, suffix := fields["accountname"], fields["endpointsuffix"]
	if suffix == "" || account == "" {
		return "", nil
	}
	scheme := cmp.Or(fields["defaultendpointsprotocol"], "https")
	if scheme != "http" && scheme != "https" ||
		!accountName.MatchString(account) || !hostSuffix.MatchString(suffix) {
		return "", badConnection(
			"DefaultEndpointsProtocol, AccountName and EndpointSuffix make no URL",
			copyConnectionAdvice)
	}
	return scheme + "://" + account + ".blob." + suffix, nil
}

// isPlainURL reports whether a text is an http or https URL of scheme,
// host and path alone.
func isPlainURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") &&
		u.Hostname() != "" && u.User == nil && u.RawQuery == "" && u.Fragment == ""
}

func badConnection(detail, fix string) error {
	return invalid("ConnectionStringInvalid", connectionField+": "+detail, fix)
}
