package network

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"

	"github.com/stevedore-jobs/stevedore/providers/check"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/providers/egress"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// resolveFailed explains why a host name has no address.
func resolveFailed(host string, err error) tasks.Check {
	switch {
	case driver.UnknownHost(err):
		return check.Fail("NoSuchHost", "no DNS server knows "+host,
			"Check the host name "+host+" letter by letter; "+
				"a private name must be known to the DNS server that the workers use.")
	case isTimeout(err):
		return check.Fail(codeTimeout, "no DNS server answered about "+host,
			"Check the workers' DNS servers: they do not answer.")
	}
	return check.Fail("DNSFailed", driver.Unreached(err).Err.Error(),
		"Check the workers' DNS servers, then the host name "+host+".")
}

// connectFailed explains why there is no connection.
func (d *diagnosis) connectFailed(err error) tasks.Check {
	at := d.target.hostPort()
	var blocked *egress.BlockedError
	switch {
	case errors.As(err, &blocked): // the name has another address this time
		return egressFailed(blocked)
	case errors.Is(err, syscall.ECONNREFUSED):
		return check.Fail("ConnectionRefused", "nothing listens at "+at,
			"Check the port in the endpoint, "+d.target.port+", and that the server runs.")
	case isTimeout(err):
		return check.Fail(codeTimeout, at+" does not answer",
			"Let the firewalls between the workers and "+at+" pass TCP, "+
				"or check host and port: nobody answers there.")
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return check.Fail("Unreachable",
			"there is no way to "+at+": "+driver.CauseText(err),
			"Give the workers a route to "+d.target.host+": "+join(d.reachable(), ", ")+".")
	}
	return check.Fail("ConnectFailed", "connecting to "+at+": "+driver.CauseText(err),
		"Check that the workers reach "+at+".")
}

func isTimeout(err error) bool {
	var network net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) ||
		errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.As(err, &network) && network.Timeout()
}
