package providers

import (
	"errors"
	"strings"

	"github.com/stevedore-jobs/stevedore/tasks/seal"
	"github.com/stevedore-jobs/stevedore/tasks/setting"
)

// open opens a sealed secret for the job and the storage that these
// secrets belong to.
func (s Secrets) open(sealed string) (string, error) {
	value, err := s.Keys.Open(seal.Binding{
		Job: s.owner.Job, Kind: s.owner.Kind, Tenant: s.owner.Tenant, Destination: s.destination,
	}, sealed)
	value = strings.TrimSpace(value)
	if err == nil && value == "" {
		err = errors.New("empty")
	}
	if err == nil {
		return value, nil
	}

	e := &Error{
		Op: "open", Key: "the secret sealed to an unknown key",
		Kind: Invalid, Code: "SecretNotOpened", Err: err,
		Fix: "Seal it for this very job and storage: the job's ID, kind and tenant, and the " +
			"storage's provider, endpoint, account and bucket are part of the seal.",
	}
	if id, err := seal.KeyID(sealed); err == nil {
		e.Key = "the secret sealed to key " + id
	}
	var unknown *seal.UnknownKeyError
	if errors.As(err, &unknown) {
		e.Code = "SecretKeyUnknown"
		e.Fix = "Give every worker the private key " + unknown.ID + " with " +
			setting.PrivateKeys.String() + ", or seal to a key that they have."
	}
	if errors.Is(err, seal.ErrOldVersion) {
		e.Code = "SecretSealOutdated"
		e.Fix = "Update the producer to the version of the workers, " +
			"and enqueue the job again under a new ID."
	}
	return "", e
}
