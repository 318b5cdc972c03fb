package providers

import (
	"maps"
	"sync"
	"time"
)

// Kept keeps the sign-ins of one opener for whoever proves the same soon
// after: every shard of a job opens its bucket again, and services that sign
// in ask those who come too often to wait. P is all that a sign-in is made
// with, so that only who has a secret gets at what was made with it. The zero
// value keeps none yet; it may be used by many goroutines at once.
type Kept[P comparable, S any] struct {
	mu   sync.Mutex
	made map[P]kept[S] // guarded by mu
}

type kept[S any] struct {
	signIn S
	until  time.Time
}

const (
	keptFor  = 10 * time.Minute // what was revoked or set right meanwhile is not held against a new bucket for longer
	mostKept = 1000
)

// Of finds the sign-in with a proof, or makes it. What fails is not kept.
// signIn must make no request.
func (k *Kept[P, S]) Of(proof P, signIn func() (S, error)) (S, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	if found, ok := k.made[proof]; ok && now.Before(found.until) {
		return found.signIn, nil
	}
	made, err := signIn()
	if err != nil {
		return made, err
	}
	maps.DeleteFunc(k.made, func(_ P, old kept[S]) bool { return !now.Before(old.until) })
	if k.made == nil || len(k.made) >= mostKept {
		k.made = map[P]kept[S]{}
	}
	k.made[proof] = kept[S]{made, now.Add(keptFor)}
	return made, nil
}
