package limits

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
)

// The codes of answers beyond a limit.
const (
	// CodeTooMuch means that the answer is larger than the operation
	// can need. Another try would give the same answer.
	CodeTooMuch = "AnswerTooLarge"
	// CodeSwitched means that the server wants to speak another
	// protocol than HTTP.
	CodeSwitched = "ProtocolSwitched"
	// CodeSlow means that the server sends or takes bytes too slowly.
	// Another try may succeed.
	CodeSlow = "ServerTooSlow"
	// CodeBusy means that the worker reads other large answers, so that
	// it has no memory for this one. A shorter answer, or another try,
	// may succeed.
	CodeBusy = "TooManyLargeAnswers"
)

// IsForTheJob reports whether a failure that another try may cure must
// not be repeated at once by an SDK: the server was slow, which took a
// minute, or the worker has no room now. The job decides.
func IsForTheJob(e *providers.Error) bool { return e.Code == CodeSlow || e.Code == CodeBusy }

const tooMuchAdvice = "No storage service sends such an answer: " +
	"check that the endpoint is that of the storage, and its server."

// request names a request in errors.
type request struct{ operation, host string }

// tooMuch makes the error of an answer that is larger than its limit.
// The caller of the provider adds operation and subject.
func (r request) tooMuch(what string) *providers.Error {
	return &providers.Error{
		Kind: providers.Invalid, Code: CodeTooMuch,
		Detail: fmt.Sprintf("the server %s answered a %s request with %s",
			r.host, r.operation, what),
		Fix: tooMuchAdvice,
	}
}

// busy makes the error of a large answer for which the worker has no
// room. It is not the server's fault.
func (r request) busy() *providers.Error {
	return &providers.Error{
		Kind: providers.Unavailable, Code: CodeBusy,
		Detail: fmt.Sprintf("the answer of the server %s to a %s request has more than %s, "+
			"and the worker reads %d others like it",
			r.host, r.operation, size(maxSmall), maxLarge),
		Fix: "Run the job again later: the worker was reading other long listings.",
	}
}

// failureTooMuch makes the error of a failure whose description is too
// long. What kind of failure it is follows from the status alone.
func (r request) failureTooMuch(resp *http.Response) *providers.Error {
	e := r.tooMuch(fmt.Sprintf("%d %s and a description of more than %s",
		resp.StatusCode, http.StatusText(resp.StatusCode), size(maxShort)))
	e.Kind, e.Status = providers.KindOfStatus(resp.StatusCode), resp.StatusCode
	return e
}

// switched makes the error of a server that switches to another
// protocol. What follows is no answer, so no limit is known for it.
func (r request) switched(status int) *providers.Error {
	return &providers.Error{
		Kind: providers.Invalid, Code: CodeSwitched, Status: status,
		Detail: fmt.Sprintf("the server %s answered a %s request with %d %s",
			r.host, r.operation, status, http.StatusText(status)),
		Fix: tooMuchAdvice,
	}
}

// tooSlow makes the error of a server that makes the worker wait.
func (r request) tooSlow(what string) *providers.Error {
	return &providers.Error{
		Kind: providers.Unavailable, Code: CodeSlow,
		Detail: fmt.Sprintf("the server %s %s in a %s request", r.host, what, r.operation),
		Fix:    "Check the server, and the network between it and the workers.",
	}
}

// size returns a number of bytes, which must be whole KiB, as text.
func size(bytes int64) string {
	if bytes >= 1<<20 {
		return fmt.Sprintf("%d MiB", bytes>>20)
	}
	return fmt.Sprintf("%d KiB", bytes>>10)
}

// noOperation makes the error of a request that carries no operation.
// It is a mistake in the code of the provider.
func noOperation() *providers.Error {
	return &providers.Error{
		Kind: providers.Invalid, Code: "NoOperation",
		Detail: "a request without an operation was not sent: nobody knows its limits",
		Fix:    "Let the provider make its requests with limits.For.",
	}
}

// MaxHeader bounds the header of an answer, in bytes. The clouds allow
// 8 KiB of metadata in it at most. The client's transport must have
// this limit.
const MaxHeader = 64 << 10

// isHeaderTooLarge recognises the error of an answer whose header is
// longer than http.Transport allows. It has a text only.
func isHeaderTooLarge(err error) bool {
	return strings.Contains(err.Error(), "server response headers exceeded")
}
