package settings

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/stevedore-jobs/stevedore/providers/egress"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/worker/memory"
)

// reader reads a value. Its error says what to give instead.
type reader func(value string) error

const (
	maxSlots   = 10_000
	maxCap     = 1_000_000
	maxObjects = 1_000_000_000_000
	minSize    = 1 << 20 // bytes
)

// count reads a whole number.
func count(into *int, least, most int) reader {
	return func(value string) error {
		n, err := strconv.Atoi(value)
		if err != nil || n < least || n > most {
			return fmt.Errorf("give a whole number from %d to %d", least, most)
		}
		*into = n
		return nil
	}
}

var sizeForm = regexp.MustCompile(`(?i)^\d+(\.\d+)? ?[KMGT]i?B$`)

// size reads a number of bytes with its unit.
func size(into *int64) reader {
	return func(value string) error {
		n, err := humanize.ParseBytes(value)
		switch {
		case err == nil && isNumber(value) && n >= minSize:
			return fmt.Errorf("give the unit too: as bytes it is %s", humanize.IBytes(n))
		case err == nil && isNumber(value):
			return fmt.Errorf("give the unit too: %[1]sMiB, or %[1]sGiB", value)
		case err != nil, !sizeForm.MatchString(value), n < minSize, n > math.MaxInt64:
			return errors.New("give a size of at least 1MiB with its unit, " +
				"for example 512MiB or 2GB")
		}
		*into = int64(n)
		return nil
	}
}

// halfMemory returns half of the memory that this process may use: the
// program itself and the garbage of the runtime take the rest. It is
// 512 MiB if the system does not tell.
func halfMemory() string {
	const mebibyte = 1 << 20
	half := memory.Available(os.DirFS("/")) / 2
	if half == 0 {
		half = 512 * mebibyte
	}
	return fmt.Sprintf("%dMiB", max(half, mebibyte)/mebibyte)
}

func isNumber(text string) bool {
	_, err := strconv.ParseFloat(text, 64)
	return err == nil
}

// duration reads a time span above zero.
func duration(into *time.Duration) reader {
	return func(value string) error {
		d, err := time.ParseDuration(value)
		switch {
		case err != nil && isNumber(value):
			return fmt.Errorf("give the unit too: %[1]ss for seconds, %[1]sm for minutes", value)
		case err != nil || d <= 0:
			return errors.New("give a duration above zero, for example 20s or 2m")
		}
		*into = d
		return nil
	}
}

// redis reads where Redis is. Errors do not repeat the URL, which may
// hold a password.
func redis(into *redisconn.Options) reader {
	return func(value string) (err error) {
		*into, err = redisconn.ParseURL(value)
		return err
	}
}

// address reads an address to listen on, which may be empty.
func address(into *string) reader {
	return func(value string) error {
		if value == "" {
			*into = ""
			return nil
		}
		_, port, err := net.SplitHostPort(value)
		if _, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil {
			return errors.New("give host:port or :port, for example 127.0.0.1:8080, " +
				"or nothing to serve nothing")
		}
		*into = value
		return nil
	}
}

// endpoint reads the URL of a service, which may be empty.
func endpoint(into *string) reader {
	return func(value string) error {
		u, err := url.Parse(value)
		switch {
		case value == "":
		case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
			return errors.New("give a URL that begins with https:// or http:// and names a host")
		case u.User != nil, u.RawQuery != "", u.Fragment != "":
			return errors.New("give a URL without a user, a query or a fragment")
		}
		*into = value
		return nil
	}
}

// items splits a list at its commas. White space and empty items are
// dropped.
func items(value string) []string {
	var list []string
	for item := range strings.SplitSeq(value, ",") {
		if item = strings.TrimSpace(item); item != "" {
			list = append(list, item)
		}
	}
	return list
}

// networks reads addresses that workers may connect to.
func networks(into *[]netip.Prefix) reader {
	return func(value string) (err error) {
		*into, err = egress.ParseAllow(value)
		return err
	}
}

// directories reads absolute directories, which must exist.
func directories(into *[]string) reader {
	return func(value string) error {
		*into = items(value)
		var faults []error
		for _, dir := range *into {
			info, err := os.Stat(dir)
			switch {
			case !filepath.IsAbs(dir):
				faults = append(faults, fmt.Errorf("%s is not absolute: it must begin with /", dir))
			case err != nil:
				faults = append(faults, fmt.Errorf("the directory cannot be used: %w", err))
			case !info.IsDir():
				faults = append(faults, fmt.Errorf("%s is not a directory", dir))
			}
		}
		return errors.Join(faults...)
	}
}

// program reads the path of a program. It may be empty.
func program(into *string) reader {
	return func(value string) error {
		if *into = value; value == "" {
			return nil
		}
		info, err := os.Stat(value)
		switch {
		case !filepath.IsAbs(value):
			return fmt.Errorf("%s is not absolute: it must begin with /", value)
		case err != nil:
			return fmt.Errorf("the program cannot be used: %w", err)
		case info.IsDir() || info.Mode()&0o111 == 0:
			return fmt.Errorf("%s is not a program", value)
		}
		return nil
	}
}

// identities reads the providers on whose buckets the worker's own
// identity may be used.
func identities(into *[]string) reader {
	return func(value string) error {
		*into = items(value)
		known := slices.DeleteFunc(tasks.Providers(), func(p string) bool {
			return !slices.Contains(tasks.AuthMethods(p), tasks.AuthWorkerIdentity)
		})
		for _, name := range *into {
			if !slices.Contains(known, name) {
				return fmt.Errorf("%q is none of %s", name, strings.Join(known, ", "))
			}
		}
		return nil
	}
}

func level(into *slog.Level) reader {
	return func(value string) error {
		if into.UnmarshalText([]byte(value)) != nil {
			return errors.New("give debug, info, warn or error")
		}
		return nil
	}
}

func format(text *bool) reader {
	return func(value string) error {
		if value != "json" && value != "text" {
			return errors.New("give json or text")
		}
		*text = value == "text"
		return nil
	}
}
