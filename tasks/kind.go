package tasks

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks/strict"
	"github.com/stevedore-jobs/stevedore/tasks/walk"
)

// Policy says how the jobs of one kind are run.
type Policy struct {
	Queue string // QueueVerify, QueueJobs or QueueExports
	// Timeout is the time from the first start to the end, over all
	// attempts and workers. It is in whole seconds.
	Timeout time.Duration
	// Attempts is how often the job, or one of its shards, may fail
	// before the job fails. It is at least 1.
	Attempts int
	// Keep is how long record, result and error list stay after the
	// end.
	Keep time.Duration
}

// Kind is a kind of job. NewKind makes one.
type Kind struct {
	Name   string
	Policy Policy

	storages     []string // paths of the payload's fields that hold a storage
	wrong        error    // what NewKind found to be wrong with the types
	decode       func([]byte) (Job, error)
	decodeResult func([]byte) (Result, error)
}

// NewKind makes a kind of its payload and its result. Give it to
// producers with producer.WithKinds, and to the worker with the code
// that runs it. Validate finds what is wrong with the types and the
// policy.
func NewKind[J Job, R Result](p Policy) Kind {
	var job J
	var result R
	k := Kind{
		Name: job.Kind(), Policy: p,
		decode:       decode[J],
		decodeResult: func(data []byte) (Result, error) { return DecodeResult[R](data) },
	}
	if result.Kind() != k.Name {
		k.wrong = fmt.Errorf("its result says that it is of kind %q", result.Kind())
	}
	if len(walk.Paths[J, Terms]()) != 1 {
		k.wrong = errors.Join(k.wrong, errors.New("its payload must embed tasks.Terms"))
	}

	storages := walk.Paths[J, Storage]()
	for _, path := range storages {
		k.storages = append(k.storages, path.Name)
	}
	for _, path := range append(storages, walk.Paths[J, Secret]()...) {
		if path.InMap {
			err := fmt.Errorf("its field %s: no map may hold a storage or a secret", path.Name)
			k.wrong = errors.Join(k.wrong, err)
		}
	}
	return k
}

var validKindName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,63}$`)

// Validate reports everything that is wrong with the kind itself.
// Lookup returns no kind that is not valid.
func (k Kind) Validate() error {
	faults := []error{k.wrong}
	check := func(ok bool, text string) {
		if !ok {
			faults = append(faults, errors.New(text))
		}
	}
	p, queues := k.Policy, []string{QueueVerify, QueueJobs, QueueExports}
	check(k.decode != nil, "NewKind did not make it")
	check(validKindName.MatchString(k.Name),
		"its name must be lower-case letters, digits and dashes, at most 64")
	check(slices.Contains(queues, p.Queue), "its queue must be one of "+strings.Join(queues, ", "))
	check(p.Timeout >= time.Second && p.Timeout%time.Second == 0,
		"its timeout must be whole seconds, at least one")
	check(p.Attempts >= 1, "it must have at least one attempt")
	check(p.Keep >= time.Second, "its record must be kept for at least a second")
	if err := errors.Join(faults...); err != nil {
		return fmt.Errorf("job kind %q is not valid: %w", k.Name, err)
	}
	return nil
}

// StorageFields returns the paths of the payload's fields that hold a
// storage, for example "source" and "annotations.storage". The first is
// the one that the job works on.
func (k Kind) StorageFields() []string { return slices.Clone(k.storages) }

// Describe adds to a status what a payload says about its job: the
// tenant and the storages. It adds nothing if it cannot read the
// payload.
func (k Kind) Describe(s *Status, payload []byte) {
	j, err := k.decode(payload)
	if err != nil {
		return
	}
	s.Tenant, s.Storages = j.JobTerms().Tenant, nil
	for field, storage := range walk.Named[Storage](j) {
		s.Storages = append(s.Storages, NamedStorage{
			field, storage.String(), storage.DisplayName, storage.Description,
		})
	}
}

// Decode reads a payload of this kind. It refuses unknown fields,
// values of another type and trailing data with an *InvalidError, which
// lists them all. It does not call Validate.
func (k Kind) Decode(payload []byte) (Job, error) { return k.decode(payload) }

// DecodeResult reads a result of this kind.
func (k Kind) DecodeResult(data []byte) (Result, error) { return k.decodeResult(data) }

// DecodeResult reads a result of a known type, also of a kind that is
// not built in.
func DecodeResult[R Result](data []byte) (R, error) {
	r, faults := strict.Decode[R](data)
	if len(faults) > 0 {
		e := InvalidError{Fields: faults}
		return r, fmt.Errorf("%s result: not what the contract says: %w", r.Kind(), &e)
	}
	return r, nil
}

// aliased is a payload whose fields have second names.
type aliased interface{ aliases() map[string]string }

func decode[J Job](data []byte) (Job, error) {
	var payload any = *new(J)
	if a, ok := payload.(aliased); ok {
		data = strict.Rename(data, a.aliases())
	}
	j, faults := strict.Decode[J](data)
	if len(faults) > 0 {
		return nil, &InvalidError{JobKind: j.Kind(), Fields: faults}
	}
	return j, nil
}

// Same reports whether two payloads of this kind ask for the same job.
//
// It ignores priority and deadline: a caller who enqueues again after a
// lost answer may count its deadline from another moment. It also
// ignores the texts of storages that are for people. Two sealed secrets
// count as the same, because a value gives another text each time it is
// sealed.
func (k Kind) Same(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	plainA, errA := k.plain(a)
	plainB, errB := k.plain(b)
	return errA == nil && errB == nil && bytes.Equal(plainA, plainB)
}

// plain returns a payload in the form that Same compares.
func (k Kind) plain(payload []byte) ([]byte, error) {
	j, err := k.Decode(payload)
	if err != nil {
		return nil, err
	}
	j = withoutTexts(WithTerms(j, Terms{Tenant: j.JobTerms().Tenant}))
	j, err = MapSecrets(j, func(s Secret) (Secret, error) { return s.Blank(), nil })
	if err != nil {
		return nil, err
	}
	return json.Marshal(j)
}
