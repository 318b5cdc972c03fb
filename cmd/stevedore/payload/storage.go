package payload

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// Scheme is the short form in which people type the storages of a
// provider.
type Scheme struct {
	Name     string // of the URL, for example "s3"
	Form     string // an example, for example "s3://bucket/prefix"
	Provider string
	// Takes are the flags of Access that storages of this provider
	// have.
	Takes []string
	// Credentials tells from where an enqueued job gets credentials. It
	// is empty for a provider that needs none.
	Credentials string
	// Storage makes the storage. Region, endpoint and credentials come
	// from the variables that the cloud's own tools read too. Without
	// credentials in the variables, its Auth is the zero value. A
	// secret stays where it is: the storage holds only its name.
	Storage func(a Address, vars map[string]string) (tasks.Storage, error)
}

// Address is what a storage URL names. Every character stands for
// itself, as in the tools of the clouds: %20 is not a space.
type Address struct {
	Host string // "b" of s3://b/cats/100%
	Path string // "cats/100%"
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

// of returns the scheme of a provider, or the zero value.
func (all Schemes) of(provider any) Scheme {
	for _, s := range all {
		if s.Provider == provider {
			return s
		}
	}
	return Scheme{}
}

// Place returns where a key of a storage is, for people: a URL, or the
// path of a file.
func (all Schemes) Place(s tasks.Storage, key string) string {
	scheme := all.of(s.Provider).Name
	switch {
	case s.Provider == "file":
		place := filepath.Join(s.Bucket, key)
		if strings.HasSuffix(key, "/") || key == "" {
			place += "/"
		}
		return place
	case s.Account != "":
		return scheme + "://" + s.Account + "/" + s.Bucket + "/" + key
	}
	return scheme + "://" + s.Bucket + "/" + key
}

// signed matches URLs that hold a secret.
var signed = regexp.MustCompile(`(?i)[?&](sig|(x-(amz|goog)-)?signature)=`)

// Parse reads a URL. Its errors do not repeat what may be a secret.
func (all Schemes) Parse(raw string, vars map[string]string) (tasks.Storage, error) {
	name, rest, isURL := strings.Cut(raw, "://")
	host, path, _ := strings.Cut(rest, "/")
	switch {
	case signed.MatchString(raw):
		return tasks.Storage{}, fmt.Errorf("the URL holds a signature, which is a secret: "+
			"give %s alone", all.Forms())
	case !isURL:
		return tasks.Storage{}, all.noScheme(raw)
	case strings.ContainsAny(host, "@:?#"):
		return tasks.Storage{}, fmt.Errorf("not a storage URL: "+
			"give %s, without user, port, ? or #", all.Forms())
	}
	for _, s := range all {
		if s.Name == name {
			return s.Storage(Address{host, path}, vars)
		}
	}
	return tasks.Storage{}, fmt.Errorf("no provider for %q: give %s",
		name+"://"+host, all.Forms())
}

// noScheme says what to write for a path.
func (all Schemes) noScheme(raw string) error {
	if raw == "" {
		return errors.New("is empty: give " + all.Forms())
	}
	if !strings.ContainsAny(raw[:1], "/.~") && !strings.Contains(raw, "/") {
		return fmt.Errorf("has no scheme: give %s", all.Forms())
	}
	path, err := filepath.Abs(raw)
	if err != nil {
		return err
	}
	return fmt.Errorf("%s has no scheme: for this directory write file://%s, "+
		"for a bucket %s", raw, path, all.Forms())
}
