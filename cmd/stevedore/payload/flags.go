// Package payload builds the payload of a job from what people type: a
// file, URLs of buckets, single fields, and terms.
package payload

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/cli"
	"github.com/stevedore-jobs/stevedore/cmd/stevedore/settings"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/strict"
)

// Flags are the ways to say what a job is to do. Single fields replace
// those of the other flags, these replace those of URLs, and URLs those
// of the file.
type Flags struct {
	Kind    string   `arg:"" help:"Kind of job: ${kinds}."`
	Payload string   `arg:"" optional:"" help:"File with the payload as JSON, or - for standard input."`
	Source  string   `help:"Bucket to work on: ${buckets}." placeholder:"URL"`
	To      string   `help:"Bucket and directory to write to; the source by default." placeholder:"URL"`
	Include []string `sep:"none" help:"Only keys that begin so, or match this glob. May be given more than once." placeholder:"PREFIX"`
	Exclude []string `sep:"none" help:"No keys that begin so, or match this glob. May be given more than once." placeholder:"PREFIX"`
	Access
	Set []string `short:"s" sep:"none" help:"Field of the payload, for example --set size=512 or --set need.write=true. May be given more than once." placeholder:"FIELD=VALUE"`
}

// Job builds the payload. All its errors are mistakes of the caller.
func (f Flags) Job(c cli.Console, schemes Schemes, by Credentials) (tasks.Job, error) {
	kind, err := tasks.Lookup(f.Kind)
	if err != nil {
		return nil, cli.Invalid(err)
	}
	fields, err := f.read(c.In, by.MaxPayload)
	if err != nil {
		return nil, cli.Invalid(err)
	}
	storages, err := f.storages(kind, schemes, settings.Map(c.Environ))
	if err != nil {
		return nil, cli.Invalid(err)
	}
	for field, s := range storages {
		if fields[field], err = asFields(s); err != nil {
			return nil, cli.Invalid(err)
		}
	}
	if err := f.change(fields, kind, schemes); err != nil {
		return nil, cli.Invalid(err)
	}
	if err := by.complete(fields, kind.StorageFields(), schemes); err != nil {
		return nil, cli.Invalid(err)
	}

	payload, err := json.Marshal(fields)
	if err != nil {
		return nil, cli.Invalid(err)
	}
	j, err := kind.Decode(payload)
	if err != nil {
		return nil, cli.Invalid(err)
	}
	if j, err = by.Secrets.fill(j, storages); err != nil {
		return nil, cli.Invalid(err)
	}
	return j, j.Validate()
}

// change puts the flags for single fields into a payload.
func (f Flags) change(fields map[string]any, kind tasks.Kind, schemes Schemes) error {
	names := []string{kind.StorageFields()[0], destination}
	if err := f.Access.change(fields, names, schemes); err != nil {
		return err
	}
	if len(f.Include) > 0 {
		fields["include"] = f.Include
	}
	if len(f.Exclude) > 0 {
		fields["exclude"] = f.Exclude
	}
	return f.set(fields, names[0])
}

// read reads the payload's file, if one is given.
func (f Flags) read(in io.Reader, limit int) (map[string]any, error) {
	if f.Payload == "" {
		if f.Source == "" {
			return nil, errors.New("give a file with the payload, " +
				"- for standard input, or --source URL")
		}
		return map[string]any{}, nil
	}
	data, err := ReadFile(f.Payload, in, limit)
	if err != nil {
		return nil, err
	}
	_, faults := strict.Decode[map[string]json.RawMessage](data)
	if len(faults) > 0 {
		return nil, &tasks.InvalidError{JobKind: f.Kind, Fields: faults}
	}
	fields := map[string]any{}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	return fields, dec.Decode(&fields)
}

// destination is the field for the bucket to write to, in every kind of
// job that writes to a bucket.
const destination = "destination"

// storages returns the storages that are given as URLs, by their
// fields.
func (f Flags) storages(
	kind tasks.Kind, schemes Schemes, vars map[string]string,
) (map[string]tasks.Storage, error) {
	found := map[string]tasks.Storage{}
	if f.Source != "" {
		s, err := schemes.Parse(f.Source, vars)
		if err != nil {
			return nil, fmt.Errorf("--source: %w", err)
		}
		if f.Anonymous {
			s.Auth = tasks.Auth{}
		}
		found[kind.StorageFields()[0]] = s
	}
	if f.To != "" {
		if !slices.Contains(kind.StorageFields(), destination) {
			return nil, fmt.Errorf("--to: a %s job writes to no bucket", kind.Name)
		}
		s, err := schemes.Parse(f.To, vars)
		if err != nil {
			return nil, fmt.Errorf("--to: %w", err)
		}
		if s.Prefix != "" && !strings.HasSuffix(s.Prefix, "/") {
			s.Prefix += "/" // what is written to is a directory
		}
		found[destination] = s
	}
	return found, nil
}

// set puts the single fields into a payload. The bucket to work on may
// always be called source.
func (f Flags) set(fields map[string]any, source string) error {
	for _, assignment := range f.Set {
		name, value, ok := strings.Cut(assignment, "=")
		if !ok {
			return fmt.Errorf("--set %s: give FIELD=VALUE", assignment)
		}
		path := strings.Split(name, ".")
		if path[0] == "source" {
			path[0] = source
		}
		if err := setField(fields, path, value); err != nil {
			return fmt.Errorf("--set %s: %w", assignment, err)
		}
	}
	return nil
}

// setField puts a value at a path. A value that is a JSON number,
// boolean, list or object is taken as such, and any other as text.
func setField(fields map[string]any, path []string, value string) error {
	if len(path) == 1 {
		fields[path[0]] = value
		if json.Valid([]byte(value)) && !strings.HasPrefix(value, `"`) {
			fields[path[0]] = json.RawMessage(value)
		}
		return nil
	}
	inner, ok := fields[path[0]].(map[string]any)
	if fields[path[0]] != nil && !ok {
		return fmt.Errorf("%s already has a value that is no object", path[0])
	}
	if !ok {
		inner = map[string]any{}
		fields[path[0]] = inner
	}
	return setField(inner, path[1:], value)
}

// asFields returns a storage in a form that --set can still change.
func asFields(s tasks.Storage) (map[string]any, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	var fields map[string]any
	return fields, json.Unmarshal(text, &fields)
}
