package providers

import (
	"errors"
	"strings"

	"github.com/stevedore-jobs/stevedore/tasks/seal"
	"github.com/stevedore-jobs/stevedore/tasks/setting"
)

// open opens a sealed secret for the job that these secrets belong
// to.
func (s Secrets) open(sealed string) (string, error) {
	value, err := s.Keys.Open(s.job, sealed)
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
		Fix: "Seal it for this very job: its ID and kind are part of the seal.",
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
	return "", e
}
