package redisconn_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// ofVersion returns how to reach a real Redis that says that it has
// another version.
func ofVersion(t *testing.T, o redisconn.Options, version string) redisconn.Options {
	t.Helper()
	return fakeRedis(t, func(c net.Conn) {
		server, err := new(net.Dialer).DialContext(t.Context(), "tcp", o.Addr)
		if err != nil {
			t.Error(err)
			return
		}
		go func() { _, _ = io.Copy(server, c) }()
		go func() {
			defer func() { _, _ = c.Close(), server.Close() }()
			for buffer := make([]byte, 1<<16); ; {
				n, err := server.Read(buffer)
				if err != nil {
					return
				}
				if _, err := c.Write(withVersion(buffer[:n], version)); err != nil {
					return
				}
			}
		}()
	})
}

// withVersion replaces the version in an answer of INFO. The answer
// keeps its length.
func withVersion(answer []byte, version string) []byte {
	const name = "redis_version:"
	_, rest, ok := bytes.Cut(answer, []byte(name))
	old, _, end := bytes.Cut(rest, []byte("\r\n"))
	if !ok || !end || len(version) > len(old) {
		return answer
	}
	padded := version + strings.Repeat("0", len(old)-len(version))
	return bytes.Replace(answer, append([]byte(name), old...), []byte(name+padded), 1)
}

// A Redis that lacks commands which are needed is refused with its
// version. One that does not say its version is not.
func TestCheckRefusesOldVersions(t *testing.T) {
	t.Parallel()
	o := queuetest.Start(t).Options()
	for version, refused := range map[string]bool{
		"5.0.1": true, "6.0.1": true, "6.1.2": true,
		"6.2.0": false, "7.0.1": false, "8.2.1": false, "?": false,
	} {
		c := ofVersion(t, o, version).Client()
		defer func() { _ = c.Close() }()
		_, err := redisconn.Check(t.Context(), c)
		if errors.Is(err, redisconn.ErrVersion) != refused || err == nil == refused {
			t.Errorf("%s: %v", version, err)
			continue
		}
		if !refused {
			continue
		}
		for _, part := range []string{o.Addr, version, "6.2"} {
			if text := o.ExplainStart(err).Error(); !strings.Contains(text, part) {
				t.Errorf("%q is not in: %s", part, text)
			}
		}
	}
}

// Check tells what a server is, also the embedded one, which says
// nothing, and every master of a cluster.
func TestCheckOfEveryServer(t *testing.T) {
	t.Parallel()
	for name, start := range queuetest.Servers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := start(t).Client()
			defer func() { _ = c.Close() }()
			s, err := redisconn.Check(t.Context(), c)
			if err != nil || name != "embedded" && (s.Version == "" || s.Eviction != redisconn.NoEviction) {
				t.Errorf("%+v, %v", s, err)
			}
		})
	}
}

// Only the first of several equal notes has an effect.
func TestOutageIsNotedOnce(t *testing.T) {
	t.Parallel()
	var events []string
	o := redisconn.Outage{
		Gone: func(err error) { events = append(events, err.Error()) },
		Back: func(time.Duration) { events = append(events, "back") },
	}
	for _, err := range []error{nil, errors.New("a"), errors.New("b"), nil, nil, errors.New("c")} {
		o.Note(err)
	}
	if got := strings.Join(events, " "); got != "a back c" {
		t.Error(got)
	}
	(*redisconn.Outage)(nil).Note(nil)
}
