package providers

import (
	"context"
	"errors"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// The interfaces of this file are optional: a bucket implements those
// that make sense for it, and As finds them through wrappers. What a
// bucket does not implement cannot be checked, and verify-connection
// says so.

// Prober checks what may be done with a bucket.
type Prober interface {
	// Probe makes the checks that need asks for, in order, and returns
	// a result for each. It stores nothing. One mistake of the user
	// fails only one check: what cannot be found out after it is
	// skipped (check.Run).
	Probe(ctx context.Context, need tasks.Need) []tasks.Check
}

// Maker is implemented by buckets that the first write makes, because
// nobody else does: directories.
type Maker interface {
	// Make makes the bucket if it does not exist. It must be called
	// before all other methods.
	Make(ctx context.Context) error
}

// OpenTarget opens the bucket that a job writes to, and makes it if it
// is a Maker.
func OpenTarget(
	ctx context.Context, s tasks.Storage, open func(context.Context, tasks.Storage) (Bucket, error),
) (Bucket, error) {
	b, err := open(ctx, s)
	if err != nil {
		return nil, err
	}
	if m, ok := As[Maker](b); ok {
		if err := m.Make(ctx); err != nil {
			return nil, errors.Join(err, b.Close())
		}
	}
	return b, nil
}

// Located is implemented by buckets behind a network. Stevedore checks
// the way to them, asks them what browsers may do, and lists them in
// several streams at once (see package network).
type Located interface {
	// Endpoint returns the base URL that requests go to, without
	// secrets.
	Endpoint() string
	// SignIn returns the server that creates the credentials.
	SignIn() SignIn
	// CORSTarget returns the URL of an object that a browser would
	// load. The object need not exist. Empty means that no browser can.
	CORSTarget() string
	// CORSAdvice tells how to add a CORS rule that allows what want
	// asks for.
	CORSAdvice(want tasks.CORS) string
}

// SignIn is the server that creates a bucket's credentials. The zero
// value means that no server does, or that Stevedore does not choose
// it.
type SignIn struct {
	URL    string // only scheme, host and port matter
	Source string // who chose it; goes on after "The sign-in endpoint", as in "is Google's own"
}

// Diagnoser checks the network between the worker and a bucket. The
// wrapper of package network implements it for every bucket that is
// Located. A bucket that needs no network implements it itself and
// returns nil.
type Diagnoser interface {
	// Diagnose makes its checks in order. At most one of them fails.
	Diagnose(ctx context.Context) []tasks.Check
}

// Preflighter checks what a browser page may load from a bucket.
type Preflighter interface {
	// Preflight checks whether a page may send what want asks for.
	Preflight(ctx context.Context, want tasks.CORS) []tasks.Check
}

// OwnIdentity is implemented by openers that can use the identity of
// the process itself (method worker-identity).
type OwnIdentity interface {
	// FindIdentity returns an error if the process has no identity that
	// it could use on the storage. It may ask the cloud for a token,
	// and keeps it for the buckets that are opened later.
	FindIdentity(ctx context.Context, s tasks.Storage) error
}

// ConditionChecker is implemented by buckets whose server may not know
// the conditions of WriteOptions.
type ConditionChecker interface {
	// CheckConditions returns an Invalid error if the server is known
	// to refuse IfAbsent and IfMatch. It leaves nothing in the bucket,
	// and returns nil if it cannot find out.
	CheckConditions(ctx context.Context) error
}

// CheckConditions reports whether the server of b refuses a Put with a
// condition. It returns nil if b is no ConditionChecker.
func CheckConditions(ctx context.Context, b Bucket) error {
	if c, ok := As[ConditionChecker](b); ok {
		return c.CheckConditions(ctx)
	}
	return nil
}

// Probe checks what may be done with b. If b is no Prober, the only
// check is unknown.
func Probe(ctx context.Context, b Bucket, need tasks.Need) []tasks.Check {
	if p, ok := As[Prober](b); ok {
		return p.Probe(ctx, need)
	}
	return unchecked(tasks.CheckIDProbe, "this provider cannot be probed")
}

// Diagnose checks the network between the worker and b. If b is no
// Diagnoser, the only check is unknown.
func Diagnose(ctx context.Context, b Bucket) []tasks.Check {
	if d, ok := As[Diagnoser](b); ok {
		return d.Diagnose(ctx)
	}
	return unchecked(tasks.CheckIDResolve,
		"the network was not checked: this provider does not tell its endpoint")
}

// Preflight checks what a browser page may load from b. If b is no
// Preflighter, the only check is unknown.
func Preflight(ctx context.Context, b Bucket, want tasks.CORS) []tasks.Check {
	if p, ok := As[Preflighter](b); ok {
		return p.Preflight(ctx, want)
	}
	return unchecked(tasks.CheckIDCORS, "no browser can ask this provider")
}

func unchecked(id, evidence string) []tasks.Check {
	return []tasks.Check{{ID: id, Status: tasks.CheckUnknown, Evidence: evidence}}
}
