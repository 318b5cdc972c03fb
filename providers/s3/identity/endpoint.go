package identity

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// s3Host matches the hosts at which AWS itself serves S3, with the name
// of a bucket or of a VPC endpoint before them. Other hosts below
// amazonaws.com may belong to anybody: load balancers, API gateways.
var s3Host = regexp.MustCompile(`^(?:[a-z0-9.-]+\.)?` +
	`s3(?:-fips|-accelerate|-accesspoint|-accesspoint-fips|express-[a-z0-9-]+)?` +
	`(?:\.dualstack)?(?:[.-][a-z]{2,4}(?:-[a-z]+)+-[0-9]+)?(?:\.vpce)?` +
	amazonSuffix)

const amazonSuffix = `\.amazonaws\.(?:com|com\.cn|eu)$`

var amazonHost = regexp.MustCompile(amazonSuffix)

// isAWS reports whether an endpoint is one of AWS's own for S3. An
// empty one is.
func isAWS(endpoint string) bool {
	return endpoint == "" || isAt(endpoint, s3Host)
}

// isAt reports whether a URL is that of a host, reached with TLS at the
// usual port.
func isAt(rawURL string, host *regexp.Regexp) bool {
	u, err := url.Parse(rawURL)
	return err == nil && u.Scheme == "https" && (u.Port() == "" || u.Port() == "443") &&
		host.MatchString(strings.ToLower(u.Hostname()))
}

// checkEndpoint returns an error if a storage sends credentials that
// AWS gave to the worker to a server of the payload. That server would
// get a session token. Credentials of the operator's own STS go to the
// servers of the payload: they are of no use at AWS.
func (s *Source) checkEndpoint(st tasks.Storage) error {
	ownSTS := s.config.STSEndpoint != "" && !isAt(s.config.STSEndpoint, amazonHost)
	isRole := st.Auth.Method == tasks.AuthAssumeRole
	if isAWS(st.Endpoint) || s.config.Person || isRole && ownSTS {
		return nil
	}
	e := &providers.Error{
		Op: "open", Bucket: st.Bucket, Kind: providers.Invalid, Code: "WorkerIdentityEndpoint",
		Detail: "the worker's own identity is used only at AWS itself, over https",
		Fix:    "Remove the endpoint, or use access-key or anonymous.",
	}
	if isRole {
		e.Detail = "the sessions of a role of AWS are used only at AWS itself, over https"
	}
	return e
}
