package redisconn

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

// The forms are those of other tools. redis and rediss are registered
// with IANA, and go-redis reads them. redis-sentinel is known from
// Lettuce and redis-url-plus, redis+sentinel from redis-sentinel-url.
// redis-cluster is our own, in the same style.
var errURL = errors.New("not a Redis URL: give redis://[user:password@]host:port/db, " +
	"redis-cluster://[user:password@]host:port,host:port or " +
	"redis-sentinel://[user:password@]host:port,host:port/master/db?sentinel_password=..., " +
	"each with rediss for TLS")

const (
	redisPort    = "6379"
	sentinelPort = "26379"
)

// ParseURL reads where Redis is:
//
//	redis://user:password@host:port/db
//	redis-cluster://user:password@host:port,host:port
//	redis-sentinel://user:password@host:port,host:port/master/db?PARAMETERS
//
// The parameters are sentinel_username and sentinel_password.
//
// rediss, rediss-cluster and rediss-sentinel use TLS. A plus may
// replace the dash. User and password are those of Redis, not of the
// sentinels; special characters in them are escaped (%40 for an @).
// The default port is 6379, of sentinels 26379. Errors do not repeat
// the URL, which may hold a password.
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
		// Without a ServerName each node must prove its own host
		// name.
		o.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
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
	return Options{
		Addr:     o.Addr,
		Username: o.Username,
		Password: o.Password,
		DB:       o.DB,
		TLS:      o.TLSConfig,
	}, nil
}

func (o Options) cluster(hosts []string, u *url.URL) (_ Options, err error) {
	if path := strings.Trim(u.Path, "/"); path != "" && path != "0" {
		return Options{}, errors.New("a Redis Cluster has only database 0: " +
			"remove the path from its URL")
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
		return Options{}, errors.New("a URL of Redis Sentinel must name the master in its path: " +
			"redis-sentinel://host:port/master")
	}
	if hasDB {
		if o.DB, err = strconv.Atoi(db); err != nil || o.DB < 0 {
			return Options{}, errors.New("in a URL of Redis Sentinel the database is a number: " +
				"redis-sentinel://host:port/master/0")
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

// cutHosts takes the hosts out of a URL and parses the rest. net/url
// would accept only one host.
func cutHosts(raw string) (hosts []string, u *url.URL, err error) {
	scheme, rest, _ := strings.Cut(raw, "://")
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	user := strings.LastIndex(rest[:end], "@") + 1
	u, err = url.Parse(scheme + "://" + rest[:user] + "hosts" + rest[end:])
	if err != nil || u.Fragment != "" {
		return nil, nil, errURL // the error of url.Parse would show the password
	}
	return strings.Split(rest[user:end], ","), u, nil
}

// addresses gives every host a port, and joins them with commas.
func addresses(hosts []string, defaultPort string) (string, error) {
	for i, host := range hosts {
		u, err := url.Parse("redis://" + host)
		if err != nil || u.Hostname() == "" {
			return "", errURL
		}
		hosts[i] = net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), defaultPort))
	}
	return strings.Join(hosts, ","), nil
}

// params returns the parameters of a URL. An unknown one is an error:
// the user expects it to change something.
func params(u *url.URL, known ...string) (url.Values, error) {
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, errURL
	}
	for name := range q {
		if !slices.Contains(known, name) {
			return nil, errors.New("the Redis URL has an unknown parameter: " +
				"only redis-sentinel has parameters, sentinel_username and sentinel_password")
		}
	}
	return q, nil
}
