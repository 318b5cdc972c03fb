package s3error

import (
	"errors"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

const maxBackoff = 10 * time.Second

// Retryer decides which failures the SDK tries again, and how long it waits
// before: at most ten seconds. attempts counts all tries of a call. Unlike the
// SDK's own, it also repeats a call whose answer broke off, such as a listing.
func Retryer(attempts int) aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = attempts
		o.MaxBackoff = maxBackoff
		o.Retryables = append(o.Retryables, retry.IsErrorRetryableFunc(retryBrokenAnswer))
	})
}

func retryBrokenAnswer(err error) aws.Ternary {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return aws.TrueTernary
	}
	return aws.UnknownTernary
}
