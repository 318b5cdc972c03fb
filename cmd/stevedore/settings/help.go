package settings

import (
	"fmt"
	"strings"
)

// meanings says what each setting is for, by its name without the
// prefix.
var meanings = map[string]string{
	"REDIS_URL":       "where Redis is; also redis-cluster:// and redis-sentinel://",
	"HTTP_ADDR":       "address of /metrics, /livez and /readyz",
	"VERIFY_SLOTS":    "verifications at once",
	"JOB_SLOTS":       "sharded jobs that are coordinated at once",
	"SHARD_SLOTS":     "shards and exports at once: the real work",
	"PARALLEL":        "concurrent requests of each shard",
	"LIST_STREAMS":    "streams that list a large bucket",
	"BUCKET_SHARDS":   "shards and exports of one bucket on all workers; 0: any",
	"TENANT_SHARDS":   "tasks of one tenant in each pool, on all workers; 0: any",
	"MEMORY_BUDGET":   "memory for images, annotations and sorting at once",
	"REDIS_BUDGET":    "memory in Redis that one job may take",
	"JOB_OBJECTS":     "objects that one job may have; 0: any",
	"PAYLOAD_LIMIT":   "largest payload of a job",
	"DRAIN_TIMEOUT":   "how long a stopping worker waits",
	"SECRETS_ALLOW":   "secrets that payloads may name",
	"PUBLIC_KEY":      "key with which enqueue seals secrets",
	"PRIVATE_KEYS":    "files with keys that open sealed secrets",
	"EGRESS_ALLOW":    "private networks where endpoints may be",
	"FILE_ROOTS":      "directories that provider file may use",
	"FFPROBE":         "program that reads videos for manifests",
	"WORKER_IDENTITY": "clouds where a worker may use its identity",
	"STS_ENDPOINT":    "where AWS roles are assumed",
	"GCS_TOKEN_URL":   "where Google exchanges keys for tokens",
	"LOG_LEVEL":       "debug, info, warn or error",
	"LOG_FORMAT":      "json or text",
}

// Help lists all settings for the help of a command, with their
// defaults. Its lines begin with four spaces, so that nothing joins
// them.
func Help() string {
	var text strings.Builder
	for _, v := range Variables() {
		text.WriteString("    " + v.Name)
		if v.Default != "" {
			_, _ = fmt.Fprintf(&text, " (%s)", v.Default)
		}
		text.WriteString("\n        " + meanings[strings.TrimPrefix(v.Name, prefix)] + "\n")
	}
	return text.String()
}
