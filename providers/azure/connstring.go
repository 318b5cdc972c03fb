package azure

import (
	"net/url"
	"strings"
)

// connection is what a connection string says, as "Configure Azure Storage
// connection strings" describes them.
type connection struct {
	account  string
	key      string
	sas      string
	endpoint string // of the blob service; empty when only the account is named
}

// parseConnectionString reads a connection string. Its errors name fields and
// never repeat a value.
func parseConnectionString(text string) (connection, error) {
	fields, err := connectionFields(text)
	if err != nil {
		return connection{}, err
	}
	c := connection{account: fields["accountname"], key: fields["accountkey"], sas: fields["sharedaccesssignature"]}
	if fields["usedevelopmentstorage"] != "" {
		return connection{}, badConnection("UseDevelopmentStorage names no server", "Give the emulator's BlobEndpoint, AccountName and AccountKey.")
	}
	if (c.key == "") == (c.sas == "") {
		return connection{}, badConnection("it holds neither or both of AccountKey and SharedAccessSignature",
			"Copy the connection string again from the portal: Access keys, or Shared access signature.")
	}
	if c.endpoint, err = c.blobEndpoint(fields); err != nil {
		return connection{}, err
	}
	if c.account == "" {
		c.account = accountOf(c.endpoint)
	}
	if c.key != "" && c.account == "" {
		return connection{}, badConnection("AccountKey without AccountName", "Copy the whole connection string again.")
	}
	return c, nil
}

func connectionFields(text string) (map[string]string, error) {
	fields := map[string]string{}
	for field := range strings.SplitSeq(text, ";") {
		if field = strings.TrimSpace(field); field == "" {
			continue
		}
		name, value, ok := strings.Cut(field, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if _, twice := fields[name]; !ok || twice {
			return nil, badConnection("it is not a list of name=value, each once", "Copy the whole connection string again.")
		}
		fields[name] = strings.TrimSpace(value)
	}
	return fields, nil
}

// blobEndpoint is the one that the string gives, or the one that it describes
// in parts.
func (c connection) blobEndpoint(fields map[string]string) (string, error) {
	if given := fields["blobendpoint"]; given != "" {
		u, err := url.Parse(given)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return "", badConnection("BlobEndpoint is not a plain http or https URL", "Copy the whole connection string again.")
		}
		return strings.TrimRight(given, "/"), nil
	}
	suffix := fields["endpointsuffix"]
	if suffix == "" || c.account == "" {
		return "", nil
	}
	scheme := fields["defaultendpointsprotocol"]
	if scheme == "" {
		scheme = "https"
	}
	if scheme != "http" && scheme != "https" || !accountName.MatchString(c.account) || !hostSuffix.MatchString(suffix) {
		return "", badConnection("DefaultEndpointsProtocol, AccountName and EndpointSuffix make no URL", "Copy the whole connection string again.")
	}
	return scheme + "://" + c.account + ".blob." + suffix, nil
}

func badConnection(detail, fix string) error {
	return invalid("ConnectionStringInvalid", "auth.connection_string: "+detail, fix)
}
