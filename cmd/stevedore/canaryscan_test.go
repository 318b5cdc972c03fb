package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
)

// core is part of every canary. No encoding of text changes its
// characters.
const core = "c4n4ryc4n4ry"

// needles are the texts to search for: core as it is, in hex and in
// base64 at every offset, and parts of the private key.
var needles = sync.OnceValue(func() [][]byte {
	all := [][]byte{[]byte(core), []byte(hex.EncodeToString([]byte(core))), []byte(strings.ToUpper(hex.EncodeToString([]byte(core))))}
	for before := range 3 {
		text := base64.RawStdEncoding.EncodeToString([]byte("\x00\x00"[:before] + core))
		text = text[(before*8+5)/6:] // drop what depends on the bytes before,
		if before > 0 {
			text = text[:len(text)-1] // and on the bytes after
		}
		all = append(all, []byte(text))
	}
	for _, part := range pemParts() {
		all = append(all, []byte(part))
	}
	return all
})

// findCanaries returns the places where a blob shows a canary. It also
// looks at compressed data in the blob.
func findCanaries(what string, blob []byte) (found []string) {
	for _, text := range append(unpack(blob), blob) {
		for _, needle := range needles() {
			if i := bytes.Index(text, needle); i >= 0 {
				found = append(found, fmt.Sprintf("%s: %q", what, text[max(0, i-100):min(len(text), i+60)]))
			}
		}
	}
	return found
}

// unpack decompresses the zstd frames in a blob, as far as they can be
// read.
func unpack(blob []byte) (texts [][]byte) {
	magic := []byte{0x28, 0xb5, 0x2f, 0xfd}
	i := bytes.Index(blob, magic)
	if i < 0 {
		return nil
	}
	d, _ := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true)) // cannot fail
	defer d.Close()
	for {
		if d.Reset(bytes.NewReader(blob[i:])) == nil {
			text, _ := io.ReadAll(d) // an error means that the frame has ended
			texts = append(texts, text)
		}
		next := bytes.Index(blob[i+1:], magic)
		if next < 0 {
			break
		}
		i += 1 + next
	}
	return texts
}

// redisContent returns everything in a Redis, by key.
func redisContent(t *testing.T, r redis.UniversalClient) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for keys := r.Scan(t.Context(), 0, "", 1000).Iterator(); keys.Next(t.Context()); {
		all[keys.Val()] = []byte(keys.Val() + " " + content(t, r, keys.Val()))
	}
	return all
}

func content(t *testing.T, r redis.UniversalClient, key string) string {
	t.Helper()
	ctx := t.Context()
	kind, err := r.Type(ctx, key).Result()
	var v any
	switch kind {
	case "string":
		v, err = r.Get(ctx, key).Result()
	case "hash":
		v, err = r.HGetAll(ctx, key).Result()
	case "list":
		v, err = r.LRange(ctx, key, 0, -1).Result()
	case "set":
		v, err = r.SMembers(ctx, key).Result()
	case "zset":
		v, err = r.ZRangeWithScores(ctx, key, 0, -1).Result()
	case "stream":
		v, err = r.XRange(ctx, key, "-", "+").Result()
	case "none": // it was deleted meanwhile
	default:
		t.Errorf("%s is of type %q, which this test cannot read", key, kind)
	}
	if err != nil && err != redis.Nil { //nolint:errorlint // it is not wrapped
		t.Errorf("read %s: %v", key, err)
	}
	return fmt.Sprint(v)
}

// redisJournal returns every command that has ever changed a Redis: its
// append-only files.
func redisJournal(t *testing.T, r redis.UniversalClient) []byte {
	t.Helper()
	settings, err := r.ConfigGet(t.Context(), "dir").Result()
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	err = filepath.WalkDir(settings["dir"], func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		all = append(all, data...)
		return err
	})
	if err != nil || len(all) == 0 {
		t.Fatalf("the append-only file: %d bytes, %v", len(all), err)
	}
	return all
}

// syncBuffer is a buffer that several goroutines may write to.
type syncBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *syncBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *syncBuffer) Bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.text.Bytes())
}

// The search finds a canary in every encoding and in every type of
// Redis. Otherwise the other test could not fail.
func TestCanariesAreFound(t *testing.T) {
	t.Parallel()
	packer, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	const value = core + "/x+y="
	for name, blob := range map[string]string{
		"raw": "a " + value + " b", "cut short": "a " + value[:len(core)], "hex": hex.EncodeToString([]byte(value)),
		"base64, 0": base64.StdEncoding.EncodeToString([]byte(value)), "base64, 1": base64.URLEncoding.EncodeToString([]byte("a" + value)),
		"private key": pemParts()[1],
		"base64, 2":   base64.RawURLEncoding.EncodeToString([]byte("ab" + value + "c")),
		"compressed":  "before" + string(packer.EncodeAll([]byte("line\n"+value), nil)) + "after" + string(packer.EncodeAll([]byte("x"), nil)),
	} {
		if len(findCanaries(name, []byte(blob))) == 0 {
			t.Errorf("%s: not found in %q", name, blob)
		}
	}
	if found := findCanaries("nothing", []byte("c4n4ry, and nothing else")); len(found) != 0 {
		t.Errorf("%q", found)
	}
	r := queuetest.Start(t).Options().Client()
	defer func() { _ = r.Close() }()
	for name, err := range map[string]error{
		"string": r.Set(t.Context(), "string", value, 0).Err(),
		"hash":   r.HSet(t.Context(), "hash", "f", packer.EncodeAll([]byte(value), nil)).Err(),
		"list":   r.RPush(t.Context(), "list", value).Err(),
		"set":    r.SAdd(t.Context(), "set", value).Err(),
		"zset":   r.ZAdd(t.Context(), "zset", redis.Z{Member: value}).Err(),
		"stream": r.XAdd(t.Context(), &redis.XAddArgs{Stream: "stream", Values: []any{"f", value}}).Err(),
	} {
		if err != nil || len(findCanaries(name, redisContent(t, r)[name])) == 0 {
			t.Errorf("%s: not found, %v", name, err)
		}
	}
	if err := r.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	if len(findCanaries("redisJournal", redisJournal(t, r))) == 0 {
		t.Error("what was deleted is not found in the redisJournal")
	}
}
