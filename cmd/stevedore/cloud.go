package main

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/payload"
	"github.com/stevedore-jobs/stevedore/cmd/stevedore/settings"
	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/egress"
	"github.com/stevedore-jobs/stevedore/providers/network"
	"github.com/stevedore-jobs/stevedore/providers/policy"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// cloud is what the program knows about a provider.
type cloud struct {
	provider string
	scheme   payload.Scheme
	// open makes the opener. It uses the client for all its requests.
	open func(access, *http.Client) (providers.Opener, error)
	// policy returns what the owner of a bucket has to grant; nil for a
	// provider without rights.
	policy func(tasks.Storage, policy.Uses) ([]policy.Section, error)
}

// clouds returns the table of providers: to add a provider, add its
// line.
func clouds() []cloud { return []cloud{s3Cloud(), gcsCloud(), azureCloud(), fileCloud()} }

// schemes returns the schemes of storage URLs.
func schemes() payload.Schemes {
	var all payload.Schemes
	for _, c := range clouds() {
		c.scheme.Provider = c.provider
		all = append(all, c.scheme)
	}
	return all
}

// registry returns the openers of all providers. They reach their
// clouds through net.
func registry(a access, net *network.Network) (providers.Registry, error) {
	r := providers.Registry{}
	for _, c := range clouds() {
		opener, err := c.open(a, net.Client())
		if err != nil {
			return nil, fmt.Errorf("provider %s: %w", c.provider, err)
		}
		r[c.provider] = opener
	}
	return r, nil
}

// policyFor returns what the owner of a bucket has to grant.
func policyFor(s tasks.Storage, u policy.Uses) ([]policy.Section, error) {
	for _, c := range clouds() {
		if c.provider == s.Provider && c.policy != nil {
			return c.policy(s, u)
		}
	}
	return nil, fmt.Errorf("provider %q has no rights to grant", s.Provider)
}

// access says what payloads may make a process reach.
type access struct {
	egress      egress.Policy
	fileRoots   []string
	ownIdentity []string // providers on whose buckets the process's own identity may be used
	stsEndpoint string   // where roles are assumed; empty means AWS
	person      bool     // the process's own identity is that of a person at the keyboard
	profile     string   // of the person in the files of AWS; empty means the default
	gcsTokenURL string   // where key files are exchanged for tokens; empty means Google
}

// allowed returns the access that the operator allows.
func allowed(s settings.Settings) access {
	return access{
		egress:      egress.Policy{Allow: s.EgressAllow},
		fileRoots:   s.FileRoots,
		ownIdentity: s.WorkerIdentity,
		stsEndpoint: s.STSEndpoint,
		gcsTokenURL: s.GCSTokenURL,
	}
}

// everything returns the access of the person at the keyboard, who can
// reach all of it without this program too. Some addresses are always
// refused.
func everything(s settings.Settings) access {
	a := allowed(s)
	ipv4, ipv6 := netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")
	a.egress = egress.Policy{AllowHTTP: true, Allow: []netip.Prefix{ipv4, ipv6}}
	a.person = true
	a.fileRoots, a.ownIdentity = []string{"/"}, tasks.Providers()
	return a
}

// mayUse reports whether the process's own identity may be used on
// buckets of a provider.
func (a access) mayUse(provider string) bool { return slices.Contains(a.ownIdentity, provider) }

// envSecret refers to a variable, which must have a valid name.
func envSecret(name string) tasks.Secret {
	s, _ := tasks.SecretRef("env:" + name)
	return s
}
