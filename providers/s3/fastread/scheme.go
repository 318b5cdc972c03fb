package fastread

import (
	"context"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/auth"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// watchedScheme is a way to sign requests. It takes note of what would
// be signed, and how, and signs nothing.
type watchedScheme struct {
	smithyhttp.AuthScheme
	observer *observer
}

// IdentityResolver implements smithyhttp.AuthScheme. It has a resolver
// if the SDK's scheme has one, because that decides which scheme the
// SDK takes.
func (w watchedScheme) IdentityResolver(o auth.IdentityResolverOptions) auth.IdentityResolver {
	if w.AuthScheme.IdentityResolver(o) == nil {
		return nil
	}
	return nobody{}
}

// Signer implements smithyhttp.AuthScheme.
func (w watchedScheme) Signer() smithyhttp.Signer { return w }

// SignRequest implements smithyhttp.Signer.
func (w watchedScheme) SignRequest(
	ctx context.Context, r *smithyhttp.Request, _ auth.Identity, properties smithy.Properties,
) error {
	name, hasName := smithyhttp.GetSigV4SigningName(&properties)
	region, hasRegion := smithyhttp.GetSigV4SigningRegion(&properties)
	if w.SchemeID() != auth.SchemeIDSigV4 || !hasName || !hasRegion {
		w.observer.otherScheme = true
		return errNotSent
	}
	once, _ := smithyhttp.GetDisableDoubleEncoding(&properties)
	w.observer.signed = r.Header.Clone()
	w.observer.signer = &signer{
		http:        w.observer.http,
		options:     func(o *v4.SignerOptions) { o.DisableURIPathEscaping = once },
		payloadHash: v4.GetPayloadHash(ctx),
		name:        name,
		region:      region,
	}
	return nil
}

// nobody is an identity without credentials.
type nobody struct{}

// GetIdentity implements auth.IdentityResolver.
func (n nobody) GetIdentity(context.Context, smithy.Properties) (auth.Identity, error) {
	return n, nil
}

// Expiration implements auth.Identity.
func (nobody) Expiration() time.Time { return time.Time{} }
