// Package setting identifies the settings of the workers, for advice to
// their operator: "Add 10.0.0.1/32 to the setting egress-allow."
//
// Only the program that reads the settings knows what they are called
// there. It puts those names into a text with Name. Without that step
// the text is readable as it is.
package setting

import (
	"regexp"
	"slices"
	"strings"
)

// ID identifies a setting.
type ID string

// The settings that advice and errors refer to.
const (
	RedisURL       ID = "redis-url"       // where Redis is; producers have it too
	PublicKey      ID = "public-key"      // producers seal secrets to it
	PrivateKeys    ID = "private-keys"    // keys that open sealed secrets
	SecretsAllow   ID = "secrets-allow"   // secrets that payloads may refer to
	EgressAllow    ID = "egress-allow"    // addresses that workers may connect to
	FileRoots      ID = "file-roots"      // directories that payloads may name
	WorkerIdentity ID = "worker-identity" // clouds where the worker's own identity may be used
	STSEndpoint    ID = "sts-endpoint"    // where AWS roles are assumed
	GCSTokenURL    ID = "gcs-token-url"   // where Google keys are exchanged for tokens
	RedisBudget    ID = "redis-budget"    // bytes that a job may keep in Redis
	JobObjects     ID = "job-objects"     // objects that a job may have
	PayloadLimit   ID = "payload-limit"   // bytes of a payload
	MemoryBudget   ID = "memory-budget"   // bytes of memory for the work of a process
	VerifySlots    ID = "verify-slots"    // verifications at once
	JobSlots       ID = "job-slots"       // sharded jobs coordinated at once
	ShardSlots     ID = "shard-slots"     // shards and exports at once
	Parallel       ID = "parallel"        // requests in flight in each shard
	BucketShards   ID = "bucket-shards"   // cap on shards of one bucket
	TenantShards   ID = "tenant-shards"   // cap on shards of one tenant
	DrainTimeout   ID = "drain-timeout"   // how long a stopping worker waits for jobs
)

// All returns the settings in a fixed order.
func All() []ID {
	return []ID{
		RedisURL, PublicKey, PrivateKeys, SecretsAllow, EgressAllow,
		FileRoots, WorkerIdentity, STSEndpoint, GCSTokenURL, RedisBudget, JobObjects, PayloadLimit,
		MemoryBudget,
		VerifySlots, JobSlots, ShardSlots, Parallel, BucketShards, TenantShards, DrainTimeout,
	}
}

// mark begins the text that stands for a setting.
const mark = "the setting "

// String returns the text that stands for the setting in advice, for
// example "the setting egress-allow".
func (i ID) String() string { return mark + string(i) }

// marked matches the text that stands for a setting, with its whole
// identifier.
var marked = regexp.MustCompile(mark + `\w+(-\w+)*`)

// Name returns a text in which every setting has the name that the
// operator knows: "Add 10.0.0.1/32 to EGRESS_ALLOW." A nil function
// leaves the text as it is.
//
// It is for texts that Stevedore writes. In others, such as keys, it
// could change what somebody else wrote.
func Name(text string, name func(ID) string) string {
	if name == nil {
		return text
	}
	return marked.ReplaceAllStringFunc(text, func(found string) string {
		id := ID(strings.TrimPrefix(found, mark))
		if !slices.Contains(All(), id) {
			return found
		}
		return name(id)
	})
}
