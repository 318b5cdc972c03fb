// Package tasks is the contract between the services that enqueue jobs
// and the workers that run them: the payloads of the four built-in
// kinds of job, their results, how each kind is run, and what the
// status of a job holds.
//
// A program can define kinds of its own: see NewKind. A storage can
// name a provider that another module defines: see Storage.Provider.
//
// The package knows no Redis, no cloud and no metrics. It imports only
// the standard library, so that any service can use it. All JSON is
// snake_case. A payload with a field that the contract does not know is
// refused by name.
package tasks

import (
	"fmt"
	"strings"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks/fields"
	"github.com/stevedore-jobs/stevedore/tasks/seal"
)

// Job is a payload: what a producer asks for. It is a struct that JSON
// can encode. It embeds Terms, and its storages are fields of type
// Storage or *Storage, at any depth.
type Job interface {
	// Kind returns the name of the job's kind, for example
	// "build-manifest".
	Kind() string
	// Validate returns nil or an *InvalidError with every fault, each
	// with the path of its field.
	Validate() error
	// JobTerms says how the job is run. Embedding Terms implements it.
	JobTerms() Terms
}

// Result is the answer of a job that succeeded. It is a struct that
// JSON can encode.
type Result interface {
	// Kind returns the name of the kind of job that gives this result.
	Kind() string
	// Summary says in one line what was done, for logs and tables.
	Summary() string
}

// count returns a number and a word, in the plural unless n is 1.
func count(n int64, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

const day = 24 * time.Hour

// The table of built-in kinds: to add a job, add its line.
var kinds = Table{
	NewKind[VerifyConnection, VerifyConnectionResult](Policy{QueueVerify, 2 * time.Minute, 2, day}),
	NewKind[BuildManifest, BuildManifestResult](Policy{QueueJobs, day, 5, 7 * day}),
	NewKind[GenerateThumbnails, GenerateThumbnailsResult](Policy{QueueJobs, 3 * day, 5, 7 * day}),
	NewKind[ExportAnnotations, ExportAnnotationsResult](Policy{QueueExports, day / 2, 5, 7 * day}),
}

// Table is a set of kinds, found by their names.
type Table []Kind

// Kinds returns the table of built-in kinds, in its fixed order. The
// caller owns it, and may append kinds of its own.
func Kinds() Table { return append(Table(nil), kinds...) }

// Lookup finds a built-in kind by its exact name.
func Lookup(name string) (Kind, error) { return kinds.Lookup(name) }

// Lookup finds a kind by its exact name. It returns the first one of
// that name, and an error if that one is not valid. The error for an
// unknown name lists the names that exist.
func (t Table) Lookup(name string) (Kind, error) {
	for _, k := range t {
		if k.Name == name {
			return k, k.Validate()
		}
	}
	return Kind{}, fmt.Errorf("no job kind %q (there are %s)%s",
		name, strings.Join(t.Names(), ", "), fields.Suggest(name, t.Names()))
}

// Names returns the names of the kinds, in the order of the table.
func (t Table) Names() []string {
	names := make([]string, len(t))
	for i, k := range t {
		names[i] = k.Name
	}
	return names
}

// InvalidError means that a payload is not valid. It lists every faulty
// field.
type InvalidError = fields.InvalidError

// FieldError is one thing that is wrong with a payload.
type FieldError = fields.Error

// Secret is a secret in a payload. It cannot be printed.
type Secret = seal.Secret

// SecretRef makes a Secret of "env:NAME" or "file:/path", or of a
// sealed text. The error does not repeat its argument.
func SecretRef(ref string) (Secret, error) { return seal.NewReference(ref) }

// PlainSecret makes a Secret of a value, for a producer that has the
// public key of the workers: enqueuing seals it. It never leaves the
// process in any other form.
func PlainSecret(value string) Secret { return seal.NewPlain(value) }
