package inventory

import (
	"context"
	"errors"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/worker/inventory/parquet"
	"github.com/stevedore-jobs/stevedore/worker/memory"
)

const (
	// CodeBroken is the code of a report that cannot be read.
	CodeBroken = "BrokenInventory"
	// CodeChanged is the code of a report that is not the one with which
	// the job was planned.
	CodeChanged = "InventoryChanged"
)

// invalid makes the error of an object of the report that is not as AWS
// writes it. Errors of the bucket, and the end of ctx, stay as they are.
func (l *List) invalid(key string, err error) error {
	if errors.As(err, new(*providers.Error)) || errors.As(err, new(*memory.TooLargeError)) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	fix := "Check that inventory names the manifest.json of a whole S3 Inventory report, " +
		"and enqueue the job with another report or without inventory."
	var advised *adviceError
	if errors.As(err, &advised) {
		fix = advised.fix
	}
	if errors.As(err, new(*parquet.MissingError)) {
		fix = adviceFields
	}
	return &providers.Error{
		Op: "get", Bucket: l.source.Report.Bucket, Key: key, Kind: providers.Invalid,
		Code: CodeBroken, Detail: err.Error(), Fix: fix, Err: err,
	}
}

// changed makes the error of a report that has no such key any more.
func (l *List) changed(key string) error {
	return &providers.Error{
		Op: "get", Bucket: l.source.Report.Bucket, Key: l.source.Key, Kind: providers.Invalid,
		Code:   CodeChanged,
		Detail: "the report does not have the key " + shown(key) + ", which it had before",
		Fix:    "Enqueue the job anew, with a report that nobody replaces meanwhile.",
	}
}

// adviceError is an error with advice of its own.
type adviceError struct {
	error
	fix string
}

// Unwrap returns the error without the advice.
func (e *adviceError) Unwrap() error { return e.error }
