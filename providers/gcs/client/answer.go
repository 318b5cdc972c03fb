package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/stevedore-jobs/stevedore/providers/gcs/gcserror"
)

// checkObject returns an error unless an answer is a JSON object, or
// empty. To the SDK null is an answer too, and it panics later.
func checkObject(resp *http.Response) error {
	var head bytes.Buffer
	for {
		_, err := io.CopyN(&head, resp.Body, 1)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		switch head.Bytes()[head.Len()-1] {
		case ' ', '\t', '\r', '\n':
			continue
		case '{':
		default:
			return gcserror.NotGCS(resp.StatusCode)
		}
		break
	}
	resp.Body = replaced{io.MultiReader(&head, resp.Body), resp.Body}
	return nil
}

// replaced is a body of which a part was read already.
type replaced struct {
	io.Reader
	io.Closer
}

// listingKind is the kind of every listing: "For lists of objects, this
// is always storage#objects"
// (https://cloud.google.com/storage/docs/json_api/v1/objects/list).
const listingKind = `storage#objects`

// checkListing returns an error for an answer that is not a page of a
// listing. The SDK accepts any JSON as a page without objects, so the
// answer of another server would look like an empty bucket. checkListing
// reads the whole answer into memory, which the SDK would do anyway.
func checkListing(ctx context.Context, resp *http.Response) error {
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	var page struct {
		Kind     string            `json:"kind"`
		Items    []*struct{}       `json:"items"`
		Prefixes []json.RawMessage `json:"prefixes"`
		Next     string            `json:"nextPageToken"`
	}
	if json.Unmarshal(body, &page) != nil || page.Kind != listingKind {
		return gcserror.NotGCS(resp.StatusCode)
	}
	for _, item := range page.Items {
		if item == nil {
			return gcserror.Malformed("a listing with null in the place of an object")
		}
	}
	if len(page.Prefixes) > 0 {
		return gcserror.Malformed("prefixes, which it was not asked for")
	}
	if watch, ok := ctx.Value(pagesKey{}).(PageFunc); ok {
		return watch(len(page.Items), page.Next)
	}
	return nil
}

// PageFunc is called for each page of a listing: with the number of its
// objects, and the token of the next page, which is empty for the last
// one. Its error ends the listing.
type PageFunc func(objects int, next string) error

type pagesKey struct{}

// WithPages returns a context for one listing, whose pages watch sees.
// The SDK asks for page after page until one has an object.
func WithPages(ctx context.Context, watch PageFunc) context.Context {
	return context.WithValue(ctx, pagesKey{}, watch)
}
