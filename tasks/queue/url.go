package queue

import (
	"cmp"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// The forms are those of most tools: redis and rediss as registered with IANA
// and read by go-redis, redis-sentinel as Lettuce, redis-url-plus and
// (spelled redis+sentinel) redis-sentinel-url have it, redis-cluster by
// analogy.
var errURL = errors.New("not a Redis URL: give redis://[user:password@]host:port/db, " +
	"redis-cluster://[user:password@]host:port,host:port or " +
	"redis-sentinel://[user:password@]host:port,host:port/master/db?sentinel_password=..., each with rediss for TLS")

const (
	redisPort    = "6379"
	sentinelPort = "26379"
)

// ParseURL reads where Redis is:
//
//	redis://user:password@host:port/db
//	redis-cluster://user:password@host:port,host:port
//	redis-sentinel://user:password@host:port,host:port/master/db?sentinel_username=...&sentinel_password=...
//
// rediss, rediss-cluster and rediss-sentinel mean TLS; a plus may stand for
// the dash. User and password are Redis's own, not the sentinels'; what is
// special in them is written as in any URL (%40 for an @). Ports are 6379, of
// sentinels 26379, unless given. Its errors do not repeat the URL, which may
// hold a password.
func ParseURL(raw string) (Options, error) {
	scheme, _, _ := strings.Cut(raw, "://")
	family, mode, _ := strings.Cut(strings.ReplaceAll(scheme, "+", "-"), "-")
	if family != "redis" && family != "rediss" {
		return Options{}, errURL
	}
	if scheme == family {
		return parseSingle(raw)
	}
	hosts, u, err := cutHosts(raw)
	if err != nil {
		return Options{}, err
	}
	o := Options{Mode: Mode(mode), Username: u.User.Username()}
	o.Password, _ = u.User.Password()
	if family == "rediss" {
		o.TLS = &tls.Config{MinVersion: tls.VersionTLS12} // each node is checked by the name it is called by
	}
	switch o.Mode {
	case Cluster:
		return o.cluster(hosts, u)
	case Sentinel:
		return o.sentinel(hosts, u)
	}
	return Options{}, errURL
}

func parseSingle(raw string) (Options, error) {
	o, err := redis.ParseURL(raw)
	if err != nil || strings.Contains(o.Addr, ",") {
		return Options{}, errURL
	}
	return Options{Addr: o.Addr, Username: o.Username, Password: o.Password, DB: o.DB, TLS: o.TLSConfig}, nil
}

func (o Options) cluster(hosts []string, u *url.URL) (_ Options, err error) {
	if path := strings.Trim(u.Path, "/"); path != "" && path != "0" {
		return Options{}, errors.New("a Redis Cluster has database 0 only: leave the path of its URL away")
	}
	if _, err := params(u); err != nil {
		return Options{}, err
	}
	o.Addr, err = addresses(hosts, redisPort)
	return o, err
}

func (o Options) sentinel(hosts []string, u *url.URL) (_ Options, err error) {
	master, db, hasDB := strings.Cut(strings.Trim(u.Path, "/"), "/")
	if o.Master = master; master == "" {
		return Options{}, errors.New("a URL of Redis Sentinel names the master in its path: redis-sentinel://host:port/master")
	}
	if hasDB {
		if o.DB, err = strconv.Atoi(db); err != nil || o.DB < 0 {
			return Options{}, errors.New("a URL of Redis Sentinel has a number for the database: redis-sentinel://host:port/master/0")
		}
	}
	q, err := params(u, "sentinel_username", "sentinel_password")
	if err != nil {
		return Options{}, err
	}
	o.SentinelUsername, o.SentinelPassword = q.Get("sentinel_username"), q.Get("sentinel_password")
	o.Addr, err = addresses(hosts, sentinelPort)
	return o, err
}

// cutHosts takes the hosts out of a URL, since net/url allows only one, and
// reads the rest.
func cutHosts(raw string) (hosts []string, u *url.URL, err error) {
	scheme, rest, _ := strings.Cut(raw, "://")
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	user := strings.LastIndex(rest[:end], "@") + 1
	u, err = url.Parse(scheme + "://" + rest[:user] + "hosts" + rest[end:])
	if err != nil || u.Fragment != "" {
		return nil, nil, errURL // url.Parse's own would repeat the password
	}
	return strings.Split(rest[user:end], ","), u, nil
}

// addresses gives every host a port.
func addresses(hosts []string, usual string) (string, error) {
	for i, host := range hosts {
		u, err := url.Parse("redis://" + host)
		if err != nil || u.Hostname() == "" {
			return "", errURL
		}
		hosts[i] = net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), usual))
	}
	return strings.Join(hosts, ","), nil
}

// params are a URL's parameters. One that nobody reads is a fault: it was
// meant to change something.
func params(u *url.URL, known ...string) (url.Values, error) {
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, errURL
	}
	for name := range q {
		if !slices.Contains(known, name) {
			return nil, errors.New("the Redis URL has a parameter that does not belong there: only redis-sentinel has any, " +
				"sentinel_username and sentinel_password")
		}
	}
	return q, nil
}
