package show

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/cli"
	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// ErrorFile is the flag --errors: the file that gets the whole error
// list of a job. "-" is standard output, as is a flag without a value.
// An empty ErrorFile is a flag that was not given.
type ErrorFile string

const standardOutput ErrorFile = "-"

// Decode implements kong.MapperValue.
func (f *ErrorFile) Decode(ctx *kong.DecodeContext) error {
	*f = standardOutput
	next := ctx.Scan.Peek()
	name := fmt.Sprint(next.Value)
	isFlag := next.Type == kong.UntypedToken && len(name) > 1 && strings.HasPrefix(name, "-")
	if next.IsEOL() || isFlag {
		return nil
	}
	return ctx.Scan.PopValueInto("file", (*string)(f))
}

// ToStandardOutput reports whether the list goes to standard output.
func (f *ErrorFile) ToStandardOutput() bool { return *f == standardOutput }

// Check finds out whether the file can be written, before hours of work
// give a list that has no place. It keeps the content of the file.
func (f *ErrorFile) Check() error {
	if *f == "" || *f == standardOutput {
		return nil
	}
	file, err := os.OpenFile(string(*f), os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		return cli.Invalid(fmt.Errorf("--errors: %w", err))
	}
	return file.Close()
}

// Write writes the whole error list of a job, a JSON line an object.
func (f *ErrorFile) Write(
	ctx context.Context, c cli.Console, queue *producer.Client, s tasks.Status,
) error {
	if *f == standardOutput {
		_, err := writeErrors(ctx, c.Out, queue, s.ID)
		return err
	}
	file, err := os.Create(string(*f))
	if err != nil {
		return fmt.Errorf("--errors: %w", err)
	}
	n, err := writeErrors(ctx, file, queue, s.ID)
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("the error list is not complete in %s: %w", *f, err)
	}
	_, _ = fmt.Fprintf(c.Err, "stevedore: %s of the error list in %s", plural(n, "line"), *f)
	if n < s.Progress.Failed {
		_, _ = fmt.Fprintf(c.Err, "; the job had %d, but no more are stored", s.Progress.Failed)
	}
	_, _ = fmt.Fprintln(c.Err)
	return nil
}

func writeErrors(
	ctx context.Context, w io.Writer, queue *producer.Client, id string,
) (n int64, err error) {
	lines := json.NewEncoder(w)
	for e, err := range queue.Errors(ctx, id) {
		if err != nil {
			return n, err
		}
		if err := lines.Encode(e); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// maxErrors is how many lines of the error list people see at once.
const maxErrors = 20

// previewErrors shows the beginning of the error list. rest says how to
// get all of it.
func previewErrors(
	ctx context.Context, w io.Writer, queue *producer.Client, s tasks.Status, rest string,
) error {
	if s.Progress.Failed == 0 {
		return nil
	}
	t := NewTable(w)
	shown := int64(0)
	for e, err := range queue.Errors(ctx, s.ID) {
		if err != nil {
			return err
		}
		t.Row(severity(e), fmt.Sprintf("%s: %s: %s", e.Key, e.Code, e.Message))
		if shown++; shown == maxErrors {
			break
		}
	}
	if shown == 0 { // the job did not come to store one
		return nil
	}
	_, _ = fmt.Fprintf(w, "\nerror list:\n")
	t.Render()
	if more := s.Progress.Failed - shown; more > 0 && shown == maxErrors {
		_, _ = fmt.Fprintf(w, "and %d more; for all of them:\n  %s\n", more, rest)
	}
	return nil
}

func severity(e tasks.ObjectError) string {
	if e.Warning {
		return "warning"
	}
	return "left out"
}
