package sts

import (
	"context"
	"crypto/rand"
	"strings"
	"time"

	"github.com/stevedore-jobs/stevedore/deploy/emulators/gateway"
)

// session is an open session of a role.
type session struct {
	role    string // ARN
	user    string // name of the IAM user made for it
	arn, id string
	keys    gateway.Keys
	ends    time.Time
}

func (s *session) answer() assumedRole {
	return assumedRole{
		ARN:        s.arn,
		ID:         s.id,
		AccessKey:  s.keys.AccessKeyID,
		Secret:     s.keys.SecretAccessKey,
		Expiration: s.ends.UTC().Format(time.RFC3339),
	}
}

// open makes a session of a role. It ends by itself after life.
func (r *roles) open(
	ctx context.Context, arn, name string, life time.Duration,
) (*session, error) {
	spec, _ := r.find(arn)
	user := "session" + strings.ToLower(rand.Text()[:16])
	keys, err := r.iam.CreateUser(ctx, user, string(spec.Policy))
	if err != nil {
		return nil, err
	}

	sessionARN := strings.Replace(arn, ":iam:", ":sts:", 1)
	sessionARN = strings.Replace(sessionARN, ":role/", ":assumed-role/", 1) + "/" + name
	s := &session{
		role: arn,
		user: user,
		arn:  sessionARN,
		id:   "AROA" + rand.Text()[:16] + ":" + name,
		keys: keys,
		ends: time.Now().Add(life),
	}

	r.mu.Lock()
	r.sessions[keys.AccessKeyID] = s
	r.opened[arn]++
	r.mu.Unlock()
	time.AfterFunc(life, func() { r.end(s) })
	return s, nil
}

// findSession returns the open session with this access key.
func (r *roles) findSession(accessKeyID string) (gateway.Identity, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, ok := r.sessions[accessKeyID]
	if !ok {
		return gateway.Identity{}, false
	}
	return gateway.Identity{ARN: s.arn, ID: s.id, Keys: s.keys}, true
}

// sessionsOf returns the open sessions of a role.
func (r *roles) sessionsOf(arn string) []*session {
	r.mu.Lock()
	defer r.mu.Unlock()
	var open []*session
	for _, s := range r.sessions {
		if s.role == arn {
			open = append(open, s)
		}
	}
	return open
}
