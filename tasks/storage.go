package tasks

import (
	"strings"

	"github.com/stevedore-jobs/stevedore/tasks/storage"
)

// Storage is a connection to a bucket.
type Storage = storage.Storage

// Auth is how a worker proves to a cloud who it is.
type Auth = storage.Auth

// The ways to authenticate. Package storage says what each needs.
const (
	AuthWorkerIdentity   = storage.AuthWorkerIdentity
	AuthAnonymous        = storage.AuthAnonymous
	AuthAccessKey        = storage.AuthAccessKey
	AuthAssumeRole       = storage.AuthAssumeRole
	AuthKeyFile          = storage.AuthKeyFile
	AuthImpersonation    = storage.AuthImpersonation
	AuthSAS              = storage.AuthSAS
	AuthAccountKey       = storage.AuthAccountKey
	AuthConnectionString = storage.AuthConnectionString
	AuthServicePrincipal = storage.AuthServicePrincipal
)

// ForeignPrefix begins the names of providers that are defined outside
// this module.
const ForeignPrefix = storage.ForeignPrefix

// Providers returns the names of the built-in providers, in a fixed
// order.
func Providers() []string { return storage.Providers() }

// AuthMethods returns the ways to authenticate that a built-in provider
// has.
func AuthMethods(provider string) []string { return storage.AuthMethods(provider) }

// OwnDirectory is the directory inside a bucket where Stevedore stores
// its output, unless a payload says otherwise. No job takes an object
// at or below a directory of this name for an image of the customer.
const OwnDirectory = ".stevedore/"

// IsOwn reports whether a key lies in an OwnDirectory, at any depth.
func IsOwn(key string) bool {
	return strings.HasPrefix(key, OwnDirectory) || strings.Contains(key, "/"+OwnDirectory)
}

// destination returns the storage that a job names, or its source if it
// names none.
func destination(source Storage, named *Storage) Storage {
	if named != nil {
		return *named
	}
	return source
}
