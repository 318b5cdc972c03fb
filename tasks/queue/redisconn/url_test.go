package redisconn_test

import (
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

func TestParseURL(t *testing.T) {
	t.Parallel()
	o, err := redisconn.ParseURL("rediss://me:hush@cache.example:6380/3")
	if err != nil || o.Addr != "cache.example:6380" || o.Username != "me" || o.Password != "hush" || o.DB != 3 || o.TLS == nil {
		t.Errorf("%+v, %v", o, err)
	}
	if s := o.String(); s != "redis at cache.example:6380 db 3" {
		t.Errorf("String = %q", s)
	}
	for _, bad := range []string{"localhost:6379", "http://x", "redis://me:hush@host:port", "redis://:hush@%zz", ""} {
		if _, err := redisconn.ParseURL(bad); err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestParseURLForms(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]redisconn.Options{
		"redis://:pw@h:1/2":                       {Addr: "h:1", Password: "pw", DB: 2},
		"redis-cluster://h1:1,h2":                 {Mode: redisconn.Cluster, Addr: "h1:1,h2:6379"},
		"redis-cluster://me:p%40w@h1:1,[::1]:2/0": {Mode: redisconn.Cluster, Addr: "h1:1,[::1]:2", Username: "me", Password: "p@w"},
		"redis+cluster://config.cache.example":    {Mode: redisconn.Cluster, Addr: "config.cache.example:6379"},
		"redis-sentinel://h1:1,h2/harbour":        {Mode: redisconn.Sentinel, Addr: "h1:1,h2:26379", Master: "harbour"},
		"redis+sentinel://me:pw@h1,[fe80::1]/m/3": {Mode: redisconn.Sentinel, Addr: "h1:26379,[fe80::1]:26379", Master: "m", DB: 3, Username: "me", Password: "pw"},
		"redis-sentinel://h/m?sentinel_password=a%2Fb&sentinel_username=s": {
			Mode: redisconn.Sentinel, Addr: "h:26379", Master: "m", SentinelUsername: "s", SentinelPassword: "a/b",
		},
	} {
		got, err := redisconn.ParseURL(raw)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v", raw, got, err)
		}
		secure := strings.Replace(raw, "redis", "rediss", 1)
		if got, err = redisconn.ParseURL(secure); err != nil || got.TLS == nil {
			t.Errorf("%s: %+v, %v", secure, got, err)
			continue
		}
		if want.Mode != redisconn.Single && got.TLS.ServerName != "" {
			t.Errorf("%s: every node would have to be called %q", secure, got.TLS.ServerName)
		}
		if got.TLS = nil; got != want {
			t.Errorf("%s: %+v", secure, got)
		}
	}
}

func TestParseURLRefusesQuietly(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{
		"redis://:hush@h1,h2:1/0", "redis://:hush@h1:1,h2:2", "redis-ring://:hush@h", "redis-://:hush@h", "http-cluster://:hush@h",
		"redis-cluster://:hush@h/1", "redis-cluster://:hush@h:port", "redis-cluster://:hush@h1,,h2", "redis-cluster://:hush@", "redis-cluster:",
		"redis-cluster://:hu%sh@h", "redis-cluster://:hush@h?hush=1", "redis-cluster://:hush@h#hush", "redis-cluster://:hush@h?%hush",
		"redis-sentinel://:hush@h", "redis-sentinel://:hush@h/", "redis-sentinel://:hush@h/m/hush", "redis-sentinel://:hush@h/m/-1",
		"redis-sentinel://h/m?sentinel_pasword=hush", "redis-sentinel://:hush@h%zz/m",
	} {
		if o, err := redisconn.ParseURL(bad); err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %+v, %v", bad, o, err)
		}
	}
}

func TestOptionsAsText(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"redis://me:hush@h/1":                                           "redis at h:6379 db 1",
		"redis-cluster://me:hush@h1,h2":                                 "redis cluster at h1:6379,h2:6379",
		"redis-sentinel://me:hush@h1,h2/harbour?sentinel_password=hush": "redis harbour of the sentinels at h1:26379,h2:26379 db 0",
	} {
		if o, err := redisconn.ParseURL(raw); err != nil || o.String() != want {
			t.Errorf("%s: %q, %v", raw, o, err)
		}
	}
}
