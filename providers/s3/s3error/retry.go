package s3error

import (
	"errors"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

const maxBackoff = 10 * time.Second

// Retryer makes the SDK try a failed call again, up to the given number
// of attempts, with waits of at most ten seconds. Unlike the SDK's own
// retryer, it also repeats a call whose answer broke off.
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
