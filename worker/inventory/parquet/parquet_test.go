package parquet

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stevedore-jobs/stevedore/worker/inventory/row"
)

// expected returns the rows that testdata/make.py writes.
func expected(i int) row.Row {
	r := row.Row{Bucket: "images", Key: fmt.Sprintf("dir %d/é+%d.jpg", i/50, i), Size: int64(i) * 1000003, ETag: fmt.Sprintf("%032x", i)}
	r.Current = i%5 != 0 && i%17 != 0
	if i%17 == 0 {
		r.Size, r.ETag = -1, ""
	}
	return r
}

// inputOf returns a file with a text. asked gets the most memory that is
// asked for; it may be nil.
func inputOf(text []byte, asked *int64) Input {
	return Input{
		Size: int64(len(text)),
		Part: func(_ context.Context, off, n int64) ([]byte, error) {
			if off < 0 || n < 0 || off > int64(len(text))-n {
				return nil, fmt.Errorf("%d bytes at %d are outside the file", n, off)
			}
			return text[off : off+n], nil
		},
		Room: func(_ context.Context, n int64) error {
			if n > MaxMemory {
				return fmt.Errorf("%d bytes are more than MaxMemory", n)
			}
			if asked != nil {
				*asked = max(*asked, n)
			}
			return nil
		},
	}
}

func read(ctx context.Context, in Input, skip int64) (rows []row.Row, err error) {
	for r, err := range Read(ctx, in, skip) {
		if err != nil {
			return rows, err
		}
		rows = append(rows, r)
	}
	return rows, nil
}

func file(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".parquet"))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestRead(t *testing.T) {
	t.Parallel()
	var all, present []row.Row
	for i := range 300 {
		r := expected(i)
		all = append(all, r)
		if i%17 != 0 {
			present = append(present, row.Row{Bucket: r.Bucket, Key: r.Key, Size: r.Size, Current: true})
		}
	}
	for name, want := range map[string][]row.Row{
		"snappy": all, "gzip-plain": all, "zstd-v2": all, "none-v2-rle": all, "small": present,
	} {
		for _, skip := range []int64{0, 1, 119, 120, 121, 250, int64(len(want)), 1000} {
			got, err := read(t.Context(), inputOf(file(t, name), nil), skip)
			if diff := cmp.Diff(want[min(skip, int64(len(want))):], got, cmp.Transformer("", func(l []row.Row) []row.Row {
				return append([]row.Row{}, l...)
			})); diff != "" || err != nil {
				t.Errorf("%s after %d rows: %v\n%s", name, skip, err, diff)
			}
		}
	}
}

func TestRead_Refuses(t *testing.T) {
	t.Parallel()
	whole := string(file(t, "snappy"))
	for name, c := range map[string]struct{ text, want string }{
		"delta encoding":    {string(file(t, "delta")), "the column key: its values have the encoding 7"},
		"LZ4":               {string(file(t, "lz4")), "packed by codec 7"},
		"no sizes":          {string(file(t, "no-size")), "no column size"},
		"no Parquet":        {"bucket,key,1\n", "no Parquet"},
		"empty":             {"", "no Parquet"},
		"encrypted":         {whole[:len(whole)-1] + "E", "encrypted"},
		"cut off":           {whole[:len(whole)-9], "no Parquet"},
		"too long a footer": {whole[:len(whole)-8] + "\xff\xff\xff\xff" + "PAR1", "its metadata has 4294967295 bytes"},
		"no metadata":       {"PAR1\x00\x01\x00\x00\x00PAR1", "no schema"},
	} {
		if _, err := read(t.Context(), inputOf([]byte(c.text), nil), 0); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var missing *MissingError
	if _, err := read(t.Context(), inputOf(file(t, "no-size"), nil), 0); !errors.As(err, &missing) {
		t.Error(err)
	}
}

// thrift writes structures for tests: fields with types and values.
type thrift []byte

func (x thrift) field(delta, kind byte) thrift { return append(x, delta<<4|kind) }
func (x thrift) int(delta byte, v int64) thrift {
	return binary.AppendVarint(x.field(delta, 5), v)
}

// A page that claims the largest sizes gets no memory for them.
func TestRead_ClaimsTakeNoMemory(t *testing.T) {
	for name, text := range map[string][]byte{
		"groups":  append(thrift{}.field(4, thriftList), 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07),
		"schema":  append(thrift{}.field(2, thriftList), 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07),
		"name":    append(thrift{}.field(2, thriftList), 0x1c, 0x48, 0xff, 0xff, 0xff, 0xff, 0x0f),
		"skipped": append(thrift{}.field(9, thriftList), 0xfc, 0xff, 0xff, 0xff, 0xff, 0x0f),
	} {
		text = binary.LittleEndian.AppendUint32(append([]byte("PAR1"), text...), uint32(len(text)))
		if n := allocated(func() {
			if _, err := read(t.Context(), inputOf(append(text, "PAR1"...), nil), 0); err == nil {
				t.Errorf("%s: no error", name)
			}
		}); n > 100<<10 {
			t.Errorf("%s: %d bytes are allocated", name, n)
		}
	}
	for name, h := range map[string]thrift{
		"packed":     thrift{}.int(1, pageData).int(1, 10).int(1, 1<<31-1),
		"unpacked":   append(thrift{}.int(1, pageData).int(1, 64<<20).int(1, 4).field(2, thriftStruct).int(1, 1<<31-1), 0),
		"dictionary": append(thrift{}.int(1, pageDictionary).int(1, 4).int(1, 4).field(4, thriftStruct).int(1, 1<<31-1), 0),
	} {
		text := append(append([]byte{}, h...), 0, 1, 2, 3, 4)
		g := group{rows: 1}
		g.chunks[keyColumn] = chunk{size: int64(len(text)), values: 1, codec: codecZstd}
		var wanted [needed]leaf
		wanted[keyColumn] = leaf{name: "key", kind: typeByteArray}
		if n := allocated(func() {
			if _, err := newGroupReader(t.Context(), inputOf(text, nil), wanted, g).next(t.Context()); err == nil {
				t.Errorf("%s: no error", name)
			}
		}); n > 200<<10 {
			t.Errorf("%s: %d bytes are allocated", name, n)
		}
	}
}

// allocated returns how many bytes do allocates.
func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestRead_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n, last := 0, error(nil)
	for _, err := range Read(ctx, inputOf(file(t, "snappy"), nil), 0) {
		cancel()
		n, last = n+1, err
	}
	if n > 100 || !errors.Is(last, context.Canceled) {
		t.Errorf("%d rows, %v", n, last)
	}
}

// Whatever a file holds, its rows are within their limits, and it takes
// no more memory than MaxMemory.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"tiny", "tiny-v2"} {
		f.Add(file(f, name))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		n := 0
		for r, err := range Read(t.Context(), inputOf(text, nil), 0) {
			if err != nil {
				if strings.Contains(err.Error(), "MaxMemory") {
					t.Fatal(err)
				}
				return
			}
			if n++; n > 10_000 {
				return
			}
			if r.Current && r.Check() != nil {
				t.Fatalf("%+v", r)
			}
		}
	})
}
