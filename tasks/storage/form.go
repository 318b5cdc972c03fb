package storage

import (
	"regexp"
	"slices"
	"strings"

	"github.com/stevedore-jobs/stevedore/tasks/fields"
	"github.com/stevedore-jobs/stevedore/tasks/walk"
)

// form says what a storage of one provider may hold.
type form struct {
	name    string
	methods []method // the ways to authenticate
	fields  []string // the optional fields of Storage that this provider has
	// check and checkAuth add what else is wrong; nil when there is no
	// more.
	check     func(*fields.Errors, Storage)
	checkAuth func(*fields.Errors, Auth)
	// checkARN checks a bucket that is not a name but an ARN. It is nil
	// for a provider that has none.
	checkARN func(*fields.Errors, string)

	directories bool // buckets are absolute directories on the worker
	tests       bool // not named to users: it is for tests
	foreign     bool // defined outside this module: its own opener checks the rest
}

// method is a way to authenticate, and the fields of Auth that it has.
type method struct {
	name  string
	needs []string
	takes []string // optional
}

// forms is the table of providers: to add a provider, add its line.
var forms = []form{s3Form, gcsForm, azureForm, fileForm, memForm}

// Ways to authenticate that several providers have.
var (
	anonymous      = method{name: AuthAnonymous}
	workerIdentity = method{name: AuthWorkerIdentity}
	noMethod       = method{} // the provider asks for no proof
)

// ForeignPrefix begins the names of providers that are defined outside
// this module. Their storages are checked for what holds of any bucket.
const ForeignPrefix = "x-"

var validForeignName = regexp.MustCompile(`^` + ForeignPrefix + `[a-z0-9][a-z0-9-]{0,61}$`)

// Providers returns the names of the built-in providers, in a fixed
// order, without mem, which only tests use.
func Providers() []string {
	var names []string
	for _, f := range forms {
		if !f.tests {
			names = append(names, f.name)
		}
	}
	return names
}

// AuthMethods returns the ways to authenticate that a built-in provider
// has.
func AuthMethods(provider string) []string {
	var names []string
	for _, m := range (Storage{Provider: provider}).form().methods {
		names = append(names, m.name)
	}
	return names
}

// form returns the form of the storage's provider. Its name is empty
// when there is no such provider.
func (s Storage) form() form {
	for _, f := range forms {
		if f.name == s.Provider {
			return f
		}
	}
	if validForeignName.MatchString(s.Provider) {
		return form{name: s.Provider, foreign: true}
	}
	return form{}
}

// formNames lists the providers: "s3, gcs or azure".
func formNames(last string) string {
	names := Providers()
	end := len(names) - 1
	return strings.Join(names[:end], ", ") + last + names[end]
}

func (f form) hasMethod(name string) bool {
	return f.foreign || slices.Contains(AuthMethods(f.name), name)
}

// commonFields are the fields of Storage that every provider has.
var commonFields = []string{
	"display_name", "description", "provider", "bucket", "prefix", "auth", "manifests",
}

// checkFields refuses fields that only other providers have.
func (f form) checkFields(errs *fields.Errors, s Storage) {
	if f.name == "" || f.foreign {
		return
	}
	for field := range walk.Fields(s) {
		has := slices.Contains(commonFields, field.Name) || slices.Contains(f.fields, field.Name)
		if !field.Given || has {
			continue
		}
		if owners := formsWith(field.Name); len(owners) == 1 {
			errs.Add(field.Name, "only for provider %s", owners[0])
		} else {
			errs.Add(field.Name, "not used by provider %s", f.name)
		}
	}
}

// formsWith returns the names of the providers that have a field.
func formsWith(field string) []string {
	var names []string
	for _, f := range forms {
		if slices.Contains(f.fields, field) {
			names = append(names, f.name)
		}
	}
	return names
}

// methodNamed finds a way to authenticate among those of all providers.
func methodNamed(name string) method {
	for _, f := range forms {
		for _, m := range f.methods {
			if m.name == name {
				return m
			}
		}
	}
	return method{name: name}
}
