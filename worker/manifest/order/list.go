package order

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"unicode/utf8"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/steps"
)

// maxLine is how long a line of an order may be, in bytes: 1,024
// characters of four bytes, and the end of the line.
const maxLine = 4<<10 + 2

// lineWork is how many steps a line takes beside its bytes.
const lineWork = 64

// list is a predefined order: keys, or an object with a key a line.
type list struct {
	keys    []string
	storage tasks.Storage
	key     string // of the object; empty if there are keys
	etag    string // its version, from fix
	open    Opener
}

// fix makes each read the version of the object that there is now.
func (l *list) fix(ctx context.Context) error {
	if l.key == "" {
		return nil
	}
	b, err := l.open(ctx, l.storage)
	if err != nil {
		return err
	}
	defer func() { _ = b.Close() }()
	o, err := b.Stat(ctx, l.key)
	l.etag = o.ETag
	return err
}

// each yields the keys in their order. Empty lines are none. An
// error is the last thing that it yields.
func (l *list) each(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if l.key == "" {
			l.eachKey(ctx, yield)
			return
		}
		if err := l.read(ctx, func(key string) bool { return yield(key, nil) }); err != nil {
			yield("", err)
		}
	}
}

func (l *list) eachKey(ctx context.Context, yield func(string, error) bool) {
	var work steps.Counter
	for _, key := range l.keys {
		if err := work.Add(ctx, lineWork); err != nil {
			yield("", err)
			return
		}
		if !yield(key, nil) {
			return
		}
	}
}

// read reads the object and calls take for each key until it
// returns false.
func (l *list) read(ctx context.Context, take func(key string) bool) error {
	b, err := l.open(ctx, l.storage)
	if err != nil {
		return err
	}
	defer func() { _ = b.Close() }()
	body, err := b.Open(ctx, l.key, providers.ReadOptions{IfMatch: l.etag})
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	return l.lines(ctx, body, take)
}

func (l *list) lines(ctx context.Context, from io.Reader, take func(key string) bool) error {
	lines := bufio.NewReaderSize(steps.Reader(ctx, from), maxLine)
	var work steps.Counter
	for number := 1; ; number++ {
		line, err := lines.ReadSlice('\n')
		ended := errors.Is(err, io.EOF)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return l.invalid(number, "is longer than %d bytes", maxLine-2)
		case err != nil && !ended:
			return err
		}
		if number == 1 {
			line = bytes.TrimPrefix(line, []byte("\ufeff")) // Windows writes it
		}
		line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
		if !utf8.Valid(line) {
			return l.invalid(number, "is not UTF-8")
		}
		if err := work.Add(ctx, lineWork+len(line)); err != nil {
			return err
		}
		if len(line) > 0 && !take(string(line)) || ended {
			return nil
		}
	}
}

func (l *list) invalid(line int, format string, args ...any) error {
	return &providers.Error{
		Op: "get", Bucket: l.storage.Bucket, Key: l.key, Kind: providers.Invalid, Code: "NotAList",
		Detail: fmt.Sprintf("line %d ", line) + fmt.Sprintf(format, args...),
		Fix:    "The object that order.key names must hold one key of an image on each line.",
	}
}
