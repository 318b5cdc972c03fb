package azure

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
	accountName = regexp.MustCompile(`^[a-z0-9]{3,24}$`) // "Storage account overview": names
	hostSuffix  = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]*$`)
)

const publicSuffix = ".blob.core.windows.net"

// blobSuffixes end the host names of Azure's own blob service, in the public
// cloud and in those of China and of the US government; accounts with a DNS
// zone have a label more ("Storage account endpoints").
func blobSuffixes() []string {
	return []string{publicSuffix, ".blob.core.chinacloudapi.cn", ".blob.core.usgovcloudapi.net", ".blob.storage.azure.net"}
}

// isAzure reports whether a service URL is Azure's own, over TLS.
func isAzure(service string) bool {
	u, err := url.Parse(service)
	return err == nil && u.Scheme == "https" && u.Port() == "" &&
		slices.ContainsFunc(blobSuffixes(), func(suffix string) bool { return strings.HasSuffix(u.Hostname(), suffix) })
}

// authorityFor is the cloud whose tokens a service takes.
func authorityFor(service string) cloud.Configuration {
	switch {
	case strings.HasSuffix(service, ".chinacloudapi.cn"):
		return cloud.AzureChina
	case strings.HasSuffix(service, ".usgovcloudapi.net"):
		return cloud.AzureGovernment
	}
	return cloud.AzurePublic
}

// accountOf is the account that a service URL names: in the host's first
// label, or, where the host is an address, in the path. It is empty where a
// URL names none.
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
		return "" // a domain of the customer's own
	}
	return strings.TrimSuffix(account, "-secondary")
}

func isPathStyle(u *url.URL) bool {
	_, err := netip.ParseAddr(u.Hostname())
	return err == nil || u.Hostname() == "localhost"
}

// serviceURL is where a storage's requests go, without a slash at the end.
func serviceURL(s tasks.Storage) (string, error) {
	if s.Endpoint == "" {
		if !accountName.MatchString(s.Account) {
			return "", invalid("AccountInvalid", "the account's name is not 3 to 24 lower-case letters and digits",
				"Give the name alone in account, for example mystorage of mystorage"+publicSuffix+".")
		}
		return "https://" + s.Account + publicSuffix, nil
	}
	return strings.TrimRight(s.Endpoint, "/"), checkEndpoint(s)
}

// checkEndpoint finds the mistakes that the service would answer with a
// riddle.
func checkEndpoint(s tasks.Storage) error {
	u, err := url.Parse(s.Endpoint)
	if err != nil {
		return invalid("BadEndpoint", "not a URL", "Check the storage's endpoint.")
	}
	for _, other := range []string{".dfs.", ".file.", ".queue.", ".table.", ".web."} {
		if strings.Contains(u.Hostname(), other+"core.") {
			return invalid("NotBlobEndpoint", "the endpoint is that of another service of the account", "Write .blob. instead of "+other+" in the endpoint, or leave it out.")
		}
	}
	if !isPathStyle(u) && s.Bucket != s.Account && strings.HasSuffix(strings.TrimRight(u.Path, "/"), "/"+s.Bucket) {
		return invalid("EndpointHoldsContainer", "the endpoint already holds the container", "Take /"+s.Bucket+" off the endpoint: the container belongs into bucket.")
	}
	return sameAccount("endpoint", accountOf(s.Endpoint), s.Account)
}

// sameAccount refuses a secret or an endpoint of another account than the
// payload names.
func sameAccount(field, found, wanted string) error {
	if found == "" || wanted == "" || found == wanted {
		return nil
	}
	return invalid("AccountDiffers", "account is "+wanted+", but "+field+" names "+found, "Give the "+field+" of account "+wanted+", or correct account.")
}
