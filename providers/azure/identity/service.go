package identity

import (
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"

	"github.com/stevedore-jobs/stevedore/tasks"
)

var (
	// accountName is the rule of "Storage account overview".
	accountName = regexp.MustCompile(`^[a-z0-9]{3,24}$`)
	hostSuffix  = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]*$`)
)

const publicSuffix = ".blob.core.windows.net"

// blobSuffixes are the ends of the host names of Azure's own blob
// service: in the public cloud, in those of China and of the US
// government, and for accounts with a DNS zone ("Storage account
// endpoints").
var blobSuffixes = []string{
	publicSuffix,
	".blob.core.chinacloudapi.cn",
	".blob.core.usgovcloudapi.net",
	".blob.storage.azure.net",
}

// isAzure reports whether a service URL is Azure's own, over TLS.
func isAzure(service string) bool {
	u, err := url.Parse(service)
	if err != nil || u.Scheme != "https" || u.Port() != "" {
		return false
	}
	return slices.ContainsFunc(blobSuffixes, func(suffix string) bool {
		return strings.HasSuffix(u.Hostname(), suffix)
	})
}

// cloudOf returns the cloud whose tokens a service accepts.
func cloudOf(service string) cloud.Configuration {
	switch {
	case strings.HasSuffix(service, ".chinacloudapi.cn"):
		return cloud.AzureChina
	case strings.HasSuffix(service, ".usgovcloudapi.net"):
		return cloud.AzureGovernment
	}
	return cloud.AzurePublic
}

// accountOf returns the account that a service URL names. It is the first
// label of the host. Where the host is an address, it is the first part
// of the path. It is empty for a customer's own domain.
func accountOf(service string) string {
	u, err := url.Parse(service)
	if err != nil {
		return ""
	}
	if isPathStyle(u) {
		account, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
		return account
	}
	account, rest, _ := strings.Cut(u.Hostname(), ".")
	if !strings.HasPrefix(rest, "blob.") && !strings.Contains(rest, ".blob.") {
		return ""
	}
	return strings.TrimSuffix(account, "-secondary")
}

func isPathStyle(u *url.URL) bool {
	_, err := netip.ParseAddr(u.Hostname())
	return err == nil || u.Hostname() == "localhost"
}

// serviceURL returns where a storage's requests go, without a slash at
// the end.
func serviceURL(st tasks.Storage) (string, error) {
	if st.Endpoint != "" {
		return strings.TrimRight(st.Endpoint, "/"), checkEndpoint(st)
	}
	if !accountName.MatchString(st.Account) {
		return "", invalid("AccountInvalid",
			"the account's name is not 3 to 24 lower-case letters and digits",
			"Give the name alone in account, for example mystorage of mystorage"+
				publicSuffix+".")
	}
	return "https://" + st.Account + publicSuffix, nil
}

// checkEndpoint finds mistakes in an endpoint for which the service's own
// error would not name the cause.
func checkEndpoint(st tasks.Storage) error {
	u, err := url.Parse(st.Endpoint)
	if err != nil {
		return invalid("BadEndpoint", "not a URL", "Check the storage's endpoint.")
	}
	for _, other := range []string{".dfs.", ".file.", ".queue.", ".table.", ".web."} {
		if strings.Contains(u.Hostname(), other+"core.") {
			return invalid("NotBlobEndpoint",
				"the endpoint is that of another service of the account",
				"Write .blob. instead of "+other+" in the endpoint, or leave it out.")
		}
	}
	if _, held := splitContainer(st.Endpoint, st); held == st.Bucket {
		return invalid("EndpointHoldsContainer", "the endpoint already holds the container",
			"Remove /"+st.Bucket+" from the endpoint: the container belongs into bucket.")
	}
	return checkAccount("endpoint", accountOf(st.Endpoint), st.Account)
}

// splitContainer separates an endpoint from the container that its path
// may hold. The container is empty if the path has none. A customer's own
// domain may have any path, so there only the storage's container is
// recognised.
func splitContainer(endpoint string, st tasks.Storage) (service, name string) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return endpoint, ""
	}
	path := strings.Trim(u.Path, "/")
	parts := strings.Split(path, "/")
	at := 0 // the container's place among the parts
	switch last := len(parts) - 1; {
	case path == "":
		return strings.TrimRight(endpoint, "/"), ""
	case isPathStyle(u):
		at = 1 // after the account
	case accountOf(endpoint) != "":
	case parts[last] == st.Bucket && parts[last] != st.Account:
		at = last
	default:
		at = len(parts)
	}
	if at >= len(parts) {
		return strings.TrimRight(endpoint, "/"), ""
	}
	base := url.URL{Scheme: u.Scheme, Host: u.Host}
	return strings.TrimRight(base.JoinPath(parts[:at]...).String(), "/"), parts[at]
}

// checkAccount returns an error if a field names another account than the
// payload's.
func checkAccount(field, found, wanted string) error {
	if found == "" || wanted == "" || found == wanted {
		return nil
	}
	return invalid("AccountDiffers",
		"account is "+wanted+", but "+field+" names "+found,
		"Give the "+field+" of account "+wanted+", or correct account.")
}
