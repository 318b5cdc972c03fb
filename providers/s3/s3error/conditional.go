package s3error

import (
	"net/http"

	"github.com/stevedore-jobs/stevedore/providers"
)

// IsNotImplemented reports whether a classified error means that the
// server lacks the call or one of its headers.
func IsNotImplemented(e *providers.Error) bool {
	return e.Code == "NotImplemented" || e.Status == http.StatusNotImplemented
}

// NoConditionalPut makes the error of a server that refuses a PUT for its
// condition. e is the error of that PUT.
func NoConditionalPut(e *providers.Error) *providers.Error {
	named := *e
	named.Kind, named.Code = providers.Invalid, "NoConditionalPut"
	named.Detail = "the server refuses a PUT with If-None-Match or If-Match (" + e.Code + ")"
	named.Fix = "Set unconditional_put on the storage. The jobs then look at what they replace " +
		"before they write, and another writer may get in between. " +
		"Or use a server that has conditional PUT."
	return &named
}
