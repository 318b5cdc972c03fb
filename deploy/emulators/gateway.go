package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"
)

const healthPath = "/healthz"

// gateway is versitygw: an S3 server on directories, and the IAM service that
// it asks about users and policies.
type gateway struct {
	addr           string // of the S3 API, host:port
	access, secret string // of the root account
	iamSocket      string // the IAM API, as AWS has it
	askSocket      string // where the S3 server asks the IAM service
	dir            string
}

func newGateway(ctx context.Context, dir string) (*gateway, error) {
	addr, err := freeAddr(ctx)
	if err != nil {
		return nil, err
	}
	for _, sub := range []string{"objects", "users"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			return nil, err
		}
	}
	return &gateway{
		addr: addr, access: "root" + rand.Text()[:12], secret: rand.Text(), dir: dir,
		iamSocket: filepath.Join(dir, "iam.sock"), askSocket: filepath.Join(dir, "ask.sock"),
	}, nil
}

func freeAddr(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// start runs both servers until ctx ends. One that fails cancels the other.
// The function it returns waits for them.
func (g *gateway) start(ctx context.Context, cancel context.CancelCauseFunc) (wait func()) {
	var wg sync.WaitGroup
	for _, server := range []func(context.Context) error{g.runIAM, g.runS3} {
		wg.Go(func() {
			if err := server(ctx); err != nil && ctx.Err() == nil {
				cancel(err)
			}
		})
	}
	return wg.Wait
}

func (g *gateway) runIAM(ctx context.Context) error {
	return embedgw.RunIAMAPI(ctx, &embedgw.IAMConfig{
		RootUserAccess: g.access, RootUserSecret: g.secret,
		Ports: []string{g.iamSocket}, PrivatePorts: []string{g.askSocket},
		IAMDir: filepath.Join(g.dir, "users"), MaxConnections: 1024, MaxRequests: 1024,
		Quiet: true, KeepAlive: true, HealthPath: healthPath, DisableOIDCThumbprintAutoFetch: true,
	})
}

func (g *gateway) runS3(ctx context.Context) error {
	if err := waitSocket(ctx, g.askSocket); err != nil {
		return err
	}
	store, err := posix.New(filepath.Join(g.dir, "objects"), meta.XattrMeta{}, posix.PosixOpts{})
	if err != nil {
		return err
	}
	defer store.Shutdown()
	return embedgw.RunVersityGW(ctx, store, &embedgw.Config{
		RootUserAccess: g.access, RootUserSecret: g.secret, Region: region,
		Ports: []string{g.addr}, StandaloneIAMEndpoint: g.askSocket, IAMCacheDisable: true,
		MaxConnections: 4096, MaxRequests: 4096, MultipartMaxParts: 10000,
		Quiet: true, KeepAlive: true, HealthPath: healthPath,
	})
}

// waitSocket returns once something listens on a unix socket.
func waitSocket(ctx context.Context, path string) error {
	return poll(ctx, func() error {
		c, err := new(net.Dialer).DialContext(ctx, "unix", path)
		if err != nil {
			return err
		}
		return c.Close()
	})
}

func (g *gateway) waitReady(ctx context.Context) error {
	err := poll(ctx, func() error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+g.addr+healthPath, nil)
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
	})
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// poll tries every 10 ms until it works, at most 20 seconds.
func poll(ctx context.Context, try func() error) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not ready: %w", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}
