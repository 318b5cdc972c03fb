// Package signing decides which headers of a request are signed. The
// clients of S3 and of STS both use it.
//
// It knows the SDK's middleware, and no credentials.
package signing

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"strings"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// sdkSigner is the ID of the SDK's middleware that signs a request.
const sdkSigner = "Signing"

// StableHeaders makes the SDK leave unsigned the headers that servers on
// the way change: Accept-Encoding and the SDK's own amz-sdk-*. The
// request still has them. If they were signed, a storage behind such a
// server, for example Google's, would answer SignatureDoesNotMatch. It
// is an element of the APIOptions of a client.
func StableHeaders(stack *middleware.Stack) error {
	if err := stack.Finalize.Insert(hideHeaders(), sdkSigner, middleware.Before); err != nil {
		return err
	}
	return stack.Finalize.Insert(showHeaders(), sdkSigner, middleware.After)
}

func isUnstable(header string) bool {
	return header == "Accept-Encoding" || strings.HasPrefix(header, "Amz-Sdk-")
}

// hiddenKey is the context key of the headers that are hidden from the
// signer.
type hiddenKey struct{}

// hideHeaders moves the unstable headers into the context.
func hideHeaders() middleware.FinalizeMiddleware {
	hide := func(ctx context.Context, h http.Header) context.Context {
		hidden := http.Header{}
		for name, values := range h {
			if isUnstable(name) {
				hidden[name] = values
				delete(h, name)
			}
		}
		return context.WithValue(ctx, hiddenKey{}, hidden)
	}
	return onHeader("HideUnstableHeaders", hide)
}

// showHeaders puts them back.
func showHeaders() middleware.FinalizeMiddleware {
	show := func(ctx context.Context, h http.Header) context.Context {
		hidden, _ := ctx.Value(hiddenKey{}).(http.Header)
		maps.Copy(h, hidden)
		return ctx
	}
	return onHeader("ShowUnstableHeaders", show)
}

// onHeader makes a middleware that changes a request's header, and
// returns the context to go on with.
func onHeader(
	id string, change func(context.Context, http.Header) context.Context,
) middleware.FinalizeMiddleware {
	return middleware.FinalizeMiddlewareFunc(id, func(
		ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler,
	) (middleware.FinalizeOutput, middleware.Metadata, error) {
		req, ok := in.Request.(*smithyhttp.Request)
		if !ok {
			err := fmt.Errorf("a request of type %T", in.Request)
			return middleware.FinalizeOutput{}, middleware.Metadata{},
				&smithy.SerializationError{Err: err}
		}
		return next.HandleFinalize(change(ctx, req.Header), in)
	})
}
