package producer

import (
	"encoding/json"
	"errors"

	"github.com/google/uuid"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/seal"
)

var (
	// ErrPlainSecret means that a job holds a secret as a plain value, and
	// the client has no key to seal it to.
	ErrPlainSecret = errors.New("the job holds a plain secret, and this client cannot seal it: make the client with WithPublicKey, or give env:NAME or file:/path")
	// ErrSealedNoID means that a job holds a secret that was sealed before it
	// was enqueued, and would get an ID for which it does not open.
	ErrSealedNoID = errors.New("the job holds a secret that was sealed for one job ID: enqueue it under that ID")
)

// NewID makes the ID of a new job, as Enqueue does without WithID: for a
// caller who must know it before.
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

// prepare does all that can be done without Redis: it checks the job, chooses
// its ID and writes its payload, sealed.
func (c *Client) prepare(j tasks.Job, s *settings) (tasks.Kind, []byte, error) {
	j = s.apply(j)
	if err := j.Validate(); err != nil {
		return tasks.Kind{}, nil, err
	}
	given := s.id != ""
	if !given {
		s.id = NewID()
	}
	if err := queue.CheckID(s.id); err != nil {
		return tasks.Kind{}, nil, err
	}
	kind, err := c.kinds.Lookup(j.Kind())
	if err != nil {
		return kind, nil, err
	}
	sealed, err := tasks.MapSecrets(j, func(secret tasks.Secret) (tasks.Secret, error) {
		switch {
		case secret.Sealed() != "" && !given:
			return secret, ErrSealedNoID
		case secret.IsPlain() && c.key.IsZero():
			return secret, ErrPlainSecret
		}
		return secret.Seal(c.key, seal.Binding{Job: s.id, Kind: kind.Name})
	})
	if err != nil {
		return kind, nil, err
	}
	payload, err := encode(sealed)
	return kind, payload, err
}

// encode writes a payload as it lies in Redis.
func encode(j tasks.Job) ([]byte, error) { return json.Marshal(j) }
