// Package gateway runs versitygw: an S3 server on directories, and an
// IAM service that holds its users and their policies. It knows
// nothing of faults, roles or other clouds.
package gateway

import (
	"context"
	"crypto/rand"
	"net"
	"os"
	"path/filepath"
	"sync"

	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"
)

// Region is the only region of the emulated AWS.
const Region = "us-east-1"

const healthPath = "/healthz"

// Gateway is an S3 server and its IAM service.
type Gateway struct {
	addr string // of the S3 API: host:port
	root Keys

	dir          string
	iamSocket    string // unix socket of the IAM API that AWS documents
	policySocket string // unix socket where the S3 server asks for users and policies
}

// New prepares a gateway that stores its data in dir, with a new root
// account. Start runs it.
func New(ctx context.Context, dir string) (*Gateway, error) {
	addr, err := freeAddr(ctx)
	if err != nil {
		return nil, err
	}
	for _, sub := range []string{"objects", "users"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			return nil, err
		}
	}
	return &Gateway{
		addr:         addr,
		root:         Keys{AccessKeyID: "root" + rand.Text()[:12], SecretAccessKey: rand.Text()},
		dir:          dir,
		iamSocket:    filepath.Join(dir, "iam.sock"),
		policySocket: filepath.Join(dir, "policy.sock"),
	}, nil
}

// Addr returns the host and port of the S3 API.
func (g *Gateway) Addr() string { return g.addr }

// Root returns the keys of the root account, which may do everything.
func (g *Gateway) Root() Keys { return g.root }

// freeAddr returns a loopback address that was free a moment ago:
// versitygw does not tell which port the system chose for it.
func freeAddr(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// Start runs both servers until ctx ends. If one fails, it cancels
// ctx with the error. The returned function waits until both have
// ended.
func (g *Gateway) Start(ctx context.Context, cancel context.CancelCauseFunc) (wait func()) {
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

func (g *Gateway) runIAM(ctx context.Context) error {
	return embedgw.RunIAMAPI(ctx, &embedgw.IAMConfig{
		RootUserAccess: g.root.AccessKeyID,
		RootUserSecret: g.root.SecretAccessKey,
		Ports:          []string{g.iamSocket},
		PrivatePorts:   []string{g.policySocket},
		IAMDir:         filepath.Join(g.dir, "users"),
		MaxConnections: 1024,
		MaxRequests:    1024,
		Quiet:          true,
		KeepAlive:      true,
		HealthPath:     healthPath,

		DisableOIDCThumbprintAutoFetch: true,
	})
}

func (g *Gateway) runS3(ctx context.Context) error {
	if err := waitSocket(ctx, g.policySocket); err != nil {
		return err
	}
	store, err := posix.New(filepath.Join(g.dir, "objects"), meta.XattrMeta{}, posix.PosixOpts{})
	if err != nil {
		return err
	}
	defer store.Shutdown()
	return embedgw.RunVersityGW(ctx, store, &embedgw.Config{
		RootUserAccess:        g.root.AccessKeyID,
		RootUserSecret:        g.root.SecretAccessKey,
		Region:                Region,
		Ports:                 []string{g.addr},
		StandaloneIAMEndpoint: g.policySocket,
		IAMCacheDisable:       true,
		MaxConnections:        4096,
		MaxRequests:           4096,
		MultipartMaxParts:     10000,
		Quiet:                 true,
		KeepAlive:             true,
		HealthPath:            healthPath,
	})
}
