package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

const (
	maxStartTime = 20 * time.Second
	pollInterval = 10 * time.Millisecond
)

// WaitReady returns nil once the S3 server answers, and an error if
// it does not within 20 seconds. If ctx ends first, it returns the
// cause.
func (g *Gateway) WaitReady(ctx context.Context) error {
	err := poll(ctx, func() error { return g.health(ctx) })
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// health returns nil if the S3 server reports that it is ready.
func (g *Gateway) health(ctx context.Context) error {
	url := "http://" + g.addr + healthPath
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	return nil
}

// waitSocket returns once a server listens on a unix socket.
func waitSocket(ctx context.Context, path string) error {
	return poll(ctx, func() error {
		c, err := new(net.Dialer).DialContext(ctx, "unix", path)
		if err != nil {
			return err
		}
		return c.Close()
	})
}

// poll calls try until it returns nil, for at most maxStartTime.
func poll(ctx context.Context, try func() error) error {
	ctx, cancel := context.WithTimeout(ctx, maxStartTime)
	defer cancel()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not ready: %w", err)
		case <-time.After(pollInterval):
		}
	}
}
