package s3error

import (
	"errors"
	"io"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/limits"
)

const maxBackoff = 10 * time.Second

// Retryer makes the SDK try a failed call again, up to the given number
// of attempts, with waits of at most ten seconds. Unlike the SDK's own
// retryer, it also repeats a call whose answer broke off. It does not
// repeat one that cannot succeed, for example because the server's
// certificate is not trusted.
func Retryer(attempts int) aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = attempts
		o.MaxBackoff = maxBackoff
		o.Retryables = slices.Concat(
			[]retry.IsErrorRetryable{retry.IsErrorRetryableFunc(endHopelessCall)},
			o.Retryables,
			[]retry.IsErrorRetryable{retry.IsErrorRetryableFunc(retryBrokenAnswer)},
		)
	})
}

// endHopelessCall ends a call that got no answer, if another attempt
// would fail alike, or is for the job to make. The SDK repeats every
// request that could not be sent.
func endHopelessCall(err error) aws.Ternary {
	if answerIn(err) != nil {
		return aws.UnknownTernary
	}
	e := Classify(err)
	if e.Kind == providers.Unavailable && !limits.IsForTheJob(e) {
		return aws.UnknownTernary
	}
	return aws.FalseTernary
}

func retryBrokenAnswer(err error) aws.Ternary {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return aws.TrueTernary
	}
	return aws.UnknownTernary
}
