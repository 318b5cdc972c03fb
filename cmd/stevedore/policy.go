package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/caarlos0/env/v11"

	"github.com/stevedore-jobs/stevedore/providers/policy"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// policyCommand asks no cloud and changes nothing: it writes what the
// bucket's owner is to set up.
type policyCommand struct {
	Payload    string `arg:"" optional:"" help:"File with a storage or a job's payload as JSON, or - for standard input."`
	Source     string `help:"Bucket, in place of a file: s3://bucket/prefix." placeholder:"URL"`
	Read       bool   `help:"Objects are read. Taken for granted when no other use is named."`
	Write      bool   `help:"Objects are stored: manifests, thumbnails, exports."`
	Versions   bool   `help:"Old versions of objects are listed."`
	KMS        string `name:"kms" help:"Key that the bucket is encrypted with: its ARN, for gcs its resource name." placeholder:"KEY"`
	CORS       string `name:"cors" help:"Origin of a page that loads objects by itself, for example https://app.example." placeholder:"ORIGIN"`
	ExternalID string `name:"external-id" help:"External ID that the role to assume shall ask for (s3)." placeholder:"ID"`
	Trust      string `help:"AWS account of the workers, which the role to assume shall trust (s3)." placeholder:"ACCOUNT"`
}

// Run prints the documents and commands, each under its title.
func (p policyCommand) Run(c console) error {
	s, need, err := p.subject(c)
	if err != nil {
		return invalid(err)
	}
	sections, err := policy.For(s, p.uses(s, need))
	if err == nil {
		err = valid(s, p.uses(s, need).CORS)
	}
	if err != nil {
		return invalid(err)
	}
	for _, section := range sections {
		if _, err := fmt.Fprintf(c.out, "# %s\n\n%s\n\n", section.Title, section.Text); err != nil {
			return err
		}
	}
	return nil
}

// subject is the storage, and what the payload says it shall be good for.
func (p policyCommand) subject(c console) (tasks.Storage, tasks.Need, error) {
	var data []byte
	var err error
	switch {
	case p.Source != "":
		s, err := storageURL(p.Source, env.ToMap(c.environ))
		return s, tasks.Need{}, err
	case p.Payload == "":
		return tasks.Storage{}, tasks.Need{}, errors.New("give a file with a storage, - for standard input, or --source URL")
	case p.Payload == "-":
		data, err = io.ReadAll(c.in)
	default:
		data, err = os.ReadFile(p.Payload)
	}
	if err != nil {
		return tasks.Storage{}, tasks.Need{}, err
	}
	return storageIn(data)
}

// storageIn finds the storage in a payload, or takes all of it for one.
func storageIn(data []byte) (tasks.Storage, tasks.Need, error) {
	var payload struct {
		tasks.Storage
		Inner  *tasks.Storage `json:"storage"`
		Source *tasks.Storage `json:"source"`
		Need   tasks.Need     `json:"need"`
	}
	if err := json.Unmarshal(bytes.TrimSpace(data), &payload); err != nil {
		return tasks.Storage{}, tasks.Need{}, fmt.Errorf("the payload is not the JSON of a storage: %w", err)
	}
	switch {
	case payload.Inner != nil:
		return *payload.Inner, payload.Need, nil
	case payload.Source != nil:
		return *payload.Source, payload.Need, nil
	}
	return payload.Storage, payload.Need, nil
}

func (p policyCommand) uses(s tasks.Storage, need tasks.Need) policy.Uses {
	u := policy.UsesOf(need)
	u.Read = u.Read || p.Read || !p.Write && !p.Versions && need == tasks.Need{}
	u.Write, u.Versions = u.Write || p.Write, u.Versions || p.Versions
	u.KMSKey, u.TrustAccount, u.ExternalID = p.KMS, p.Trust, p.ExternalID
	if p.Trust != "" {
		u.ExternalID = cmp.Or(p.ExternalID, s.Auth.ExternalID)
	}
	if p.CORS != "" {
		u.CORS = &tasks.CORS{Origin: p.CORS}
	}
	return u
}

// valid checks all of a storage but how it is authenticated: rights are
// granted before there are credentials.
func valid(s tasks.Storage, cors *tasks.CORS) error {
	s.Auth = tasks.Auth{Method: tasks.AuthAnonymous}
	return tasks.VerifyConnection{Storage: s, Need: tasks.Need{CORS: cors}}.Validate()
}
