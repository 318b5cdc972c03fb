package payload

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// Scheme is the short form in which people type the storages of a
// provider.
type Scheme struct {
	Name string // of the URL, for example "s3"
	Form string // an example, for example "s3://bucket/prefix"
	// Storage makes the storage. Region, endpoint and credentials come
	// from the variables that the cloud's own tools read too. A secret
	// stays where it is: the storage holds only its name.
	Storage func(u *url.URL, vars map[string]string) (tasks.Storage, error)
}

// Schemes are the schemes of all providers.
type Schemes []Scheme

// Forms lists an example of each scheme.
func (all Schemes) Forms() string {
	forms := make([]string, len(all))
	for i, s := range all {
		forms[i] = s.Form
	}
	last := len(forms) - 1
	return strings.Join(forms[:last], ", ") + " or " + forms[last]
}

// Parse reads a URL. Its errors do not repeat what may be a secret.
func (all Schemes) Parse(raw string, vars map[string]string) (tasks.Storage, error) {
	u, err := url.Parse(raw)
	if err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		err := fmt.Errorf("not a storage URL: give %s, without user, ? or #", all.Forms())
		return tasks.Storage{}, err
	}
	for _, s := range all {
		if s.Name == u.Scheme {
			return s.Storage(u, vars)
		}
	}
	err = fmt.Errorf("no provider for %q: give %s", u.Scheme+"://"+u.Host, all.Forms())
	return tasks.Storage{}, err
}
