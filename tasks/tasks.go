// Package tasks is the contract between the services that enqueue jobs and
// the workers that run them: the four payloads, their results, how each kind
// is run, and what a job's status looks like.
//
// It knows no Redis, no cloud and no metrics, and brings in only the standard
// library, so any service can use it. All JSON is snake_case; a payload with
// a field that the contract does not know is refused by name.
package tasks

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// Job is a payload: what a producer asks for. The implementations are plain
// structs of this package.
type Job interface {
	// Kind is the job's name on the queue, for example "build-manifest".
	Kind() string
	// Validate reports every fault at once as an *InvalidError, each with the
	// path of its field, or nil.
	Validate() error
	// JobTerms says how the job is run.
	JobTerms() Terms
	withTerms(t Terms) Job
	// mapSecrets is a copy of the job in which m has seen every storage.
	// MapSecrets is for callers.
	mapSecrets(m *secretMap) Job
}

// Result is what a finished job answers with.
type Result interface {
	// Kind is the name of the job that gives this result.
	Kind() string
	// Summary says in one line what was done, for logs and tables.
	Summary() string
}

// Policy is how jobs of one kind are run.
type Policy struct {
	Queue    string        // the asynq queue that carries the kind, one of the Queue constants
	Timeout  time.Duration // from the first start to the end, over all attempts and workers; whole seconds
	Attempts int           // how many times the job, or one shard of it, may fail before the job fails; at least 1
	Keep     time.Duration // how long record, result and error list stay after the end
}

// The queues. Each is served by a pool of every worker, so that none starves
// another.
const (
	QueueVerify  = "verify"  // quick answers for a person who waits
	QueueJobs    = "jobs"    // coordinators of sharded jobs: cheap, they mostly wait
	QueueExports = "exports" // single runs that do real work; same pool as the shards
	QueueShards  = "shards"  // shards of sharded jobs; the engine alone enqueues here
)

// A Kind is one row of the table of kinds.
type Kind struct {
	Name   string
	Policy Policy

	decode       func([]byte) (Job, error)
	decodeResult func([]byte) (Result, error)
}

// The table of kinds: to add a job, add its line.
var kinds = []Kind{
	kindOf[VerifyConnection, VerifyConnectionResult](Policy{QueueVerify, 2 * time.Minute, 2, 24 * time.Hour}),
	kindOf[BuildManifest, BuildManifestResult](Policy{QueueJobs, 24 * time.Hour, 5, 7 * 24 * time.Hour}),
	kindOf[GenerateThumbnails, GenerateThumbnailsResult](Policy{QueueJobs, 72 * time.Hour, 5, 7 * 24 * time.Hour}),
	kindOf[ExportAnnotations, ExportAnnotationsResult](Policy{QueueExports, 12 * time.Hour, 5, 7 * 24 * time.Hour}),
}

func kindOf[J Job, R Result](p Policy) Kind {
	var zero J
	return Kind{
		Name:         zero.Kind(),
		Policy:       p,
		decode:       func(data []byte) (Job, error) { return strict[J](data) },
		decodeResult: func(data []byte) (Result, error) { return strict[R](data) },
	}
}

// Kinds returns the table of kinds in its fixed order. The caller owns the
// slice.
func Kinds() []Kind { return append([]Kind(nil), kinds...) }

// Lookup finds a kind by its exact name. The error lists the names that
// exist.
func Lookup(name string) (Kind, error) {
	names := make([]string, 0, len(kinds))
	for _, k := range kinds {
		if k.Name == name {
			return k, nil
		}
		names = append(names, k.Name)
	}
	return Kind{}, fmt.Errorf("no job kind %q (there are %s)", name, strings.Join(names, ", "))
}

// Decode reads a payload of this kind. It refuses unknown fields and trailing
// data; it does not call Validate.
func (k Kind) Decode(payload []byte) (Job, error) {
	j, err := k.decode(payload)
	if err != nil {
		return nil, fmt.Errorf("%s payload: %w", k.Name, err)
	}
	return j, nil
}

// DecodeResult reads a result of this kind.
func (k Kind) DecodeResult(data []byte) (Result, error) {
	r, err := k.decodeResult(data)
	if err != nil {
		return nil, fmt.Errorf("%s result: %w", k.Name, err)
	}
	return r, nil
}

func strict[T any](data []byte) (T, error) {
	var v T
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&v); err != nil {
		return v, fmt.Errorf("not what the contract says: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := dec.Token(); err != io.EOF {
		return v, fmt.Errorf("data after the JSON object")
	}
	return v, nil
}
