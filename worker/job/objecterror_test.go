package job

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

type codedError struct{}

func (codedError) Error() string      { return "it is broken" }
func (codedError) ObjectCode() string { return "corrupt-image" }

func TestAsObjectError(t *testing.T) {
	t.Parallel()
	of := func(k providers.Kind) error { return &providers.Error{Op: "get", Key: "a", Kind: k} }
	for _, c := range []struct {
		err  error
		code string // empty: it concerns the job
	}{
		{codedError{}, "corrupt-image"}, {fmt.Errorf("wrapped: %w", codedError{}), "corrupt-image"},
		{of(providers.NotFound), CodeNotFound}, {of(providers.Conflict), CodeChanged},
		{of(providers.Denied), CodeDenied}, {of(providers.Invalid), CodeInvalid},
		{of(providers.Unauthenticated), ""}, {of(providers.Throttled), ""}, {of(providers.Unavailable), ""}, {of(providers.Blocked), ""},
		{&providers.Error{Op: "list", Bucket: "b", Kind: providers.NotFound}, ""},
		{&providers.Error{Op: "put", Key: "t", Kind: providers.Invalid}, CodeInvalid},
		{&providers.Error{Op: "put", Key: "t", Kind: providers.Denied}, ""}, {&providers.Error{Op: "put", Key: "t", Kind: providers.NotFound}, ""},
		{context.Canceled, ""}, {errors.New("other"), ""}, {nil, ""},
	} {
		line, ok := AsObjectError("a", c.err)
		if ok != (c.code != "") || line.Code != c.code || ok && (line.Key != "a" || line.Message == "") {
			t.Errorf("%v: %+v, %v", c.err, line, ok)
		}
	}
}

func TestDenials(t *testing.T) {
	t.Parallel()
	denied := &tasks.ObjectError{Code: CodeDenied}
	first, later, full := Shard{}, Shard{After: "a"}, Shard{More: true}
	cause := errors.New("denied")
	for name, c := range map[string]struct {
		denied, others int
		shard          Shard
		want           bool
	}{
		"no request":                  {0, 0, first, false},
		"all of the first shard":      {1, 0, first, true},
		"one of a full first shard":   {1, 0, full, false},
		"ten of a full first shard":   {10, 0, full, true},
		"all but one":                 {99, 1, first, false},
		"nine of a later shard":       {9, 0, later, false},
		"ten of a later shard":        {10, 0, later, true},
		"ten of eleven, later shard":  {10, 1, later, false},
		"nothing denied in the first": {0, 5, first, false},
	} {
		var d denials
		for range c.denied {
			d.add(denied, cause)
		}
		for i := range c.others {
			d.add(map[bool]*tasks.ObjectError{true: {Code: "corrupt-image"}, false: nil}[i%2 == 0], nil)
		}
		if err := d.asJobError(c.shard); (err != nil) != c.want || err != nil && !errors.Is(err, cause) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
