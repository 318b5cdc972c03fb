package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/cli"
	"github.com/stevedore-jobs/stevedore/cmd/stevedore/payload"
	"github.com/stevedore-jobs/stevedore/cmd/stevedore/settings"
	"github.com/stevedore-jobs/stevedore/providers/policy"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/strict"
)

// policyCommand sends nothing to a cloud: it prints what the bucket's
// owner has to set up.
type policyCommand struct {
	Payload    string `arg:"" optional:"" help:"File with a storage or a job's payload as JSON, or - for standard input."`
	Source     string `help:"Bucket, in place of a file: ${buckets}." placeholder:"URL"`
	Read       bool   `help:"Objects are read. This is the default when no other use is given."`
	Write      bool   `help:"Objects are stored: manifests, thumbnails, exports."`
	Versions   bool   `help:"Old versions of objects are listed."`
	KMS        string `name:"kms" help:"Key that the bucket is encrypted with: its ARN, for gcs its resource name." placeholder:"KEY"`
	CORS       string `name:"cors" help:"Origin of a page that loads objects by itself, for example https://app.example." placeholder:"ORIGIN"`
	ExternalID string `name:"external-id" help:"External ID that the role to assume must ask for (s3)." placeholder:"ID"`
	Trust      string `help:"AWS account of the workers, which the role to assume must trust (s3)." placeholder:"ACCOUNT"`
}

// Run prints the documents and commands, each under its title. All its
// errors are mistakes of the caller.
func (p policyCommand) Run(c cli.Console, schemes payload.Schemes) error {
	s, need, err := p.storage(c, schemes)
	if err != nil {
		return cli.Invalid(err)
	}
	uses := p.uses(s, need)
	sections, err := policyFor(s, uses)
	if err == nil {
		err = validate(s, uses.CORS)
	}
	if err != nil {
		return cli.Invalid(err)
	}
	for _, section := range sections {
		if _, err := fmt.Fprintf(c.Out, "# %s\n\n%s\n\n", section.Title, section.Text); err != nil {
			return err
		}
	}
	return nil
}

// storage returns the storage, and what a payload says it is needed
// for.
func (p policyCommand) storage(
	c cli.Console, schemes payload.Schemes,
) (s tasks.Storage, need tasks.Need, err error) {
	switch {
	case p.Source != "":
		s, err = schemes.Parse(p.Source, settings.Map(c.Environ))
		return s, need, err
	case p.Payload == "":
		return s, need, errors.New("give a file with a storage, " +
			"- for standard input, or --source URL")
	}
	data, err := payload.ReadFile(p.Payload, c.In, 0)
	if err != nil {
		return s, need, err
	}
	return storageIn(data)
}

// storageIn finds the storage that a job works on in its payload. Data
// without such a field is a storage itself.
func storageIn(data []byte) (s tasks.Storage, need tasks.Need, _ error) {
	parts, faults := strict.Decode[map[string]json.RawMessage](data)
	field := ""
	for _, kind := range tasks.Kinds() {
		if name := kind.StorageFields()[0]; parts[name] != nil {
			field, data = name, parts[name]
		}
	}
	if len(faults) == 0 {
		s, faults = strict.Decode[tasks.Storage](data)
	}
	for i := range faults {
		faults[i].Field = strings.Trim(field+"."+faults[i].Field, ".")
	}
	if parts["need"] != nil {
		var wrong []tasks.FieldError
		need, wrong = strict.Decode[tasks.Need](parts["need"])
		for _, w := range wrong {
			w.Field = strings.Trim("need."+w.Field, ".")
			faults = append(faults, w)
		}
	}
	if len(faults) > 0 {
		return s, need, &tasks.InvalidError{Fields: faults}
	}
	return s, need, nil
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

// validate checks a storage, but not its credentials: rights are
// granted before there are credentials.
func validate(s tasks.Storage, cors *tasks.CORS) error {
	s.Auth = tasks.Auth{Method: tasks.AuthAnonymous}
	return tasks.VerifyConnection{Storage: s, Need: tasks.Need{CORS: cors}}.Validate()
}

// Help is shown by policy --help.
func (policyCommand) Help() string {
	return `
Examples:

    stevedore policy --read --write --source s3://my-bucket/images/
    stevedore policy payload.json
    stevedore policy --source gs://my-bucket/ --cors https://app.example`
}
