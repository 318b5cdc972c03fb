package payload

import (
	"fmt"
	"slices"
	"strings"
)

// Access says how the job's buckets are reached: flags for what the
// tools of the clouds take as flags too.
type Access struct {
	Region    string `help:"Region of the bucket, for s3. Without it, AWS_REGION or the profile's counts, or it is found out." placeholder:"REGION"`
	Endpoint  string `help:"Server with the API of the cloud, for example http://127.0.0.1:9000." placeholder:"URL"`
	Anonymous bool   `help:"Send no credentials: the source is public."`
}

// The flags that a Scheme can take.
const (
	TakesRegion   = "region"
	TakesEndpoint = "endpoint"
)

// change puts the flags into the storages of a payload. The first name
// is that of the source.
func (a Access) change(fields map[string]any, names []string, schemes Schemes) error {
	if a.Anonymous {
		source, ok := fields[names[0]].(map[string]any)
		if !ok || schemes.of(source["provider"]).Credentials == "" {
			return fmt.Errorf("--anonymous: %s is no bucket with credentials", names[0])
		}
		source["auth"] = map[string]any{"method": "anonymous"}
	}
	for flag, value := range map[string]string{
		TakesRegion: a.Region, TakesEndpoint: a.Endpoint,
	} {
		if value == "" {
			continue
		}
		if err := setFlag(fields, names, schemes, flag, value); err != nil {
			return err
		}
	}
	return nil
}

// setFlag sets a field of all storages that have it. They must be of
// one provider.
func setFlag(fields map[string]any, names []string, schemes Schemes, flag, value string) error {
	provider := any(nil)
	for _, name := range names {
		storage, _ := fields[name].(map[string]any)
		if !slices.Contains(schemes.of(storage["provider"]).Takes, flag) {
			continue
		}
		if provider != nil && provider != storage["provider"] {
			return fmt.Errorf("--%[1]s: the job has two clouds, so give "+
				"--set %[2]s.%[1]s=%[3]s or --set %[4]s.%[1]s=%[3]s",
				flag, names[0], value, name)
		}
		provider, storage[flag] = storage["provider"], value
	}
	if provider == nil {
		return fmt.Errorf("--%s: no bucket of the job has one", flag)
	}
	return nil
}

// Credentials decides how a job gets the credentials of its buckets.
type Credentials struct {
	Secrets Secrets // of the storages that are given as URLs
	// Method is the way to authenticate where none is given and the
	// environment holds no credentials. If it is empty, that is an
	// error.
	Method string
	// MaxPayload is how many bytes a payload may have; 0 means
	// payloadsize.Max.
	MaxPayload int
}

// complete gives every storage a way to authenticate.
func (c Credentials) complete(fields map[string]any, paths []string, schemes Schemes) error {
	for _, path := range paths {
		storage := fields
		for name := range strings.SplitSeq(path, ".") {
			storage, _ = storage[name].(map[string]any)
		}
		scheme := schemes.of(storage["provider"])
		auth, _ := storage["auth"].(map[string]any)
		switch {
		case scheme.Credentials == "" || len(auth) > 0:
		case c.Method == "":
			return fmt.Errorf("%s: no credentials found: a job on the queue carries its own. %s. "+
				"For a public bucket give --anonymous", path, scheme.Credentials)
		default:
			storage["auth"] = map[string]any{"method": c.Method}
		}
	}
	return nil
}
