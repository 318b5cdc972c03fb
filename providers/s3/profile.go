package s3

import "github.com/stevedore-jobs/stevedore/providers/s3/identity"

// Profile is what a person's profile in the files of the AWS tools says
// about the place of buckets.
type Profile = identity.Profile

// LoadProfile reads the profile that AWS_PROFILE names, or the default
// one, which need not exist. The values of the variables come from env.
func LoadProfile(env func(string) string) (Profile, error) {
	return identity.LoadProfile(env)
}
