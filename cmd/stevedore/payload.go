package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/caarlos0/env/v11"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// payloadFlags are the ways to say what a job shall do: a payload as services
// send it, URLs, single fields, or all three on top of each other.
type payloadFlags struct {
	Kind    string   `arg:"" help:"Kind of job: verify-connection, build-manifest, generate-thumbnails or export-annotations."`
	Payload string   `arg:"" optional:"" help:"File with the payload as JSON, or - for standard input."`
	Source  string   `help:"Bucket to work on: s3://bucket/prefix, gs://bucket/prefix, az://account/container/prefix or file:///directory. Credentials come from the variables that the clouds' own tools read." placeholder:"URL"`
	To      string   `help:"Bucket to write to; the source by default." placeholder:"URL"`
	Set     []string `short:"s" sep:"none" help:"Field of the payload, for example --set size=512 or --set need.write=true. May be given more than once." placeholder:"FIELD=VALUE"`
}

// secretsOf decides what becomes of the references to secrets that a storage
// URL stands for.
type secretsOf func(tasks.Storage) (tasks.Storage, error)

// job builds the payload. All its errors are the caller's mistakes.
func (p payloadFlags) job(c console, secrets secretsOf) (tasks.Job, error) {
	kind, err := tasks.Lookup(p.Kind)
	if err != nil {
		return nil, invalid(err)
	}
	fields, err := p.read(c.in)
	if err != nil {
		return nil, invalid(err)
	}
	if err := p.overlay(fields, env.ToMap(c.environ), secrets); err != nil {
		return nil, invalid(err)
	}
	payload, err := json.Marshal(fields)
	if err != nil {
		return nil, invalid(err)
	}
	j, err := kind.Decode(payload)
	if err != nil {
		return nil, invalid(err)
	}
	return j, j.Validate()
}

func (p payloadFlags) read(in io.Reader) (map[string]any, error) {
	var data []byte
	var err error
	switch p.Payload {
	case "":
		if p.Source == "" {
			return nil, errors.New("give a file with the payload, - for standard input, or --source URL")
		}
		return map[string]any{}, nil
	case "-":
		data, err = io.ReadAll(in)
	default:
		data, err = os.ReadFile(p.Payload)
	}
	if err != nil {
		return nil, err
	}
	fields := map[string]any{}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := dec.Decode(&fields); err != nil {
		return nil, fmt.Errorf("the payload is not a JSON object: %w", err)
	}
	if dec.More() {
		return nil, errors.New("the payload has data after its JSON object")
	}
	return fields, nil
}

func (p payloadFlags) overlay(fields map[string]any, vars map[string]string, secrets secretsOf) error {
	source := "source"
	if p.Kind == (tasks.VerifyConnection{}).Kind() {
		source = "storage"
	}
	for _, f := range []struct{ field, url string }{{source, p.Source}, {"destination", p.To}} {
		if f.url == "" {
			continue
		}
		s, err := storageURL(f.url, vars)
		if err != nil {
			return err
		}
		if s, err = secrets(s); err != nil {
			return err
		}
		if fields[f.field], err = storageFields(s); err != nil {
			return err
		}
	}
	for _, assignment := range p.Set {
		name, value, ok := strings.Cut(assignment, "=")
		if !ok {
			return fmt.Errorf("--set %s: give FIELD=VALUE", assignment)
		}
		if err := set(fields, strings.Split(name, "."), value); err != nil {
			return fmt.Errorf("--set %s: %w", assignment, err)
		}
	}
	return nil
}

// set puts a value at a path. What reads as a JSON number, boolean, list or
// object is one; all else is text.
func set(fields map[string]any, path []string, value string) error {
	if len(path) > 1 {
		inner, ok := fields[path[0]].(map[string]any)
		if fields[path[0]] != nil && !ok {
			return fmt.Errorf("%s is given whole already", path[0])
		}
		if !ok {
			inner = map[string]any{}
			fields[path[0]] = inner
		}
		return set(inner, path[1:], value)
	}
	fields[path[0]] = value
	if json.Valid([]byte(value)) && !strings.HasPrefix(value, `"`) {
		fields[path[0]] = json.RawMessage(value)
	}
	return nil
}
