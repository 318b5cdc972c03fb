package outcome

import (
	"errors"
	"fmt"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/payloadsize"
	"github.com/stevedore-jobs/stevedore/tasks/setting"
)

// keepsTooMuch describes a job that exceeds its budget in Redis. The
// call that would exceed it tells only that the job keeps more.
func (w Wording) keepsTooMuch(err error) tasks.Failure {
	size := "more"
	var estimated *BudgetError
	if errors.As(err, &estimated) {
		size = fmt.Sprintf("about %d MB", estimated.Estimate>>20)
	}
	return exceeds("RedisBudgetExceeded", setting.RedisBudget, fmt.Sprintf(
		"this job would keep %s in Redis, and %d MB are allowed: its payload, "+
			"planned shards, parts of the result and error list", size, w.Limits.Bytes>>20))
}

// tooManyObjects describes a job that has more objects than a job may.
func (w Wording) tooManyObjects() tasks.Failure {
	return exceeds("TooManyObjects", setting.JobObjects, fmt.Sprintf(
		"this job has more than %d objects, and more are not allowed", w.Limits.Objects))
}

// payloadTooLarge describes a job whose payload nobody has read.
func payloadTooLarge(err *payloadsize.Error) tasks.Failure {
	f := exceeds("PayloadTooLarge", setting.PayloadLimit, err.Error())
	f.Fix = fmt.Sprintf("Name objects by prefixes and files in a bucket, or raise %s on the "+
		"workers and for the producer.", setting.PayloadLimit)
	return f
}

// exceeds describes a job that exceeds the limit of a setting.
func exceeds(code string, limit setting.ID, message string) tasks.Failure {
	return tasks.Failure{
		Kind:    string(providers.Invalid),
		Code:    code,
		Message: message,
		Fix: fmt.Sprintf("Split the job by prefix, or raise %s on the workers "+
			"and give Redis the memory.", limit),
	}
}

// maxText is the longest text of a failure, in bytes. It is in the
// record and in an event.
const maxText = 4096

// shorten returns a text that ends with an ellipsis if it was cut.
func shorten(text string) string {
	const ellipsis = "…"
	if len(text) <= maxText {
		return text
	}
	return strings.ToValidUTF8(text[:maxText-len(ellipsis)], "") + ellipsis
}
