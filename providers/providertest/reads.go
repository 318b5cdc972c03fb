//go:build unix

package providertest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/egress"
)

const (
	// HeadBytes is how much of an object the benchmarks of reads read.
	HeadBytes = 16 << 10
	// HeadRange asks for it.
	HeadRange = "bytes=0-16383"

	roundReads = 2000
	rounds     = 15
)

// Reads is what the benchmarks of reads must know of a cloud.
type Reads struct {
	Answer map[string]string // headers of an answer that holds the first HeadBytes of an object
	Ways   func(b *testing.B, endpoint string, client *http.Client) ReadWays
}

// ReadWays are the ways to read that are compared. They need not end a body:
// who calls them does.
type ReadWays struct {
	Bucket  providers.Bucket        // on the client
	SDK     ReadFunc                // bare, on the client
	Default ReadFunc                // bare, on the transport that it makes itself
	URL     func(key string) string // for net/http, without even a signature
}

// ReadFunc asks for the first HeadBytes of an object.
type ReadFunc func(ctx context.Context, key string) (io.ReadCloser, error)

type way struct {
	name string
	open ReadFunc
}

// Bench reads the first 16 KiB of objects, many at a time, from a plain
// server in a process of its own: through the bucket, the bare SDK on the
// same transport, the bare SDK on its own transport, and net/http. They take
// turns: a rate is that of the way's best round, and a ratio the median of
// those of the rounds, each of which ran within seconds on the same machine
// in the same mood. The package needs a TestServeReads that calls Serve.
func (r Reads) Bench(b *testing.B) {
	b.Helper()
	plain, secure := startReads(b)
	for _, c := range []struct {
		name, endpoint string
		flight         int
	}{{"HTTP/64", plain, 64}, {"HTTP/256", plain, 256}, {"TLS/64", secure, 64}, {"TLS/256", secure, 256}} {
		b.Run(c.name, func(b *testing.B) {
			ways := r.ways(b, c.endpoint)
			costs := make(map[string][]cost) // of each way, by round
			for _, w := range ways {
				readMany(b, w, c.flight) // connects
			}
			for b.Loop() {
				for range rounds {
					for _, w := range ways {
						costs[w.name] = append(costs[w.name], readMany(b, w, c.flight))
					}
					slices.Reverse(ways) // nobody always comes after the same one
				}
			}
			for name, rounds := range costs {
				b.ReportMetric(best(rounds).rate(), name+"/s")
				b.ReportMetric(best(rounds).each(), name+"-µs-CPU")
			}
			b.ReportMetric(ratio(costs["bucket"], costs["sdk"]), "of-sdk")
			b.ReportMetric(ratio(costs["bucket"], costs["default"]), "of-default")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchAlone is the client's own part of a read: the answers come from
// memory.
func (r Reads) BenchAlone(b *testing.B) {
	b.Helper()
	ways := r.Ways(b, "http://127.0.0.1:1", &http.Client{Transport: canned{r.Answer, make([]byte, HeadBytes)}})
	for _, w := range []way{{"bucket", through(ways.Bucket)}, {"sdk", ways.SDK}} {
		b.Run(w.name, func(b *testing.B) {
			b.ReportAllocs()
			data := make([]byte, HeadBytes)
			for b.Loop() {
				if err := readHead(b.Context(), w, "images/00000001.jpg", data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func (r Reads) ways(b *testing.B, endpoint string) []way {
	b.Helper()
	allow, err := egress.ParseAllow("127.0.0.0/8")
	if err != nil {
		b.Fatal(err)
	}
	client := egress.Policy{Allow: allow}.Client()
	b.Cleanup(client.CloseIdleConnections)
	ways := r.Ways(b, endpoint, client)
	raw := func(ctx context.Context, key string) (io.ReadCloser, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, ways.URL(key), nil)
		if err != nil {
			return nil, err
		}
		req.Header.Set("Range", HeadRange)
		resp, err := client.Do(req)
		if err != nil {
			return nil, err
		}
		return resp.Body, nil
	}
	return []way{{"bucket", through(ways.Bucket)}, {"sdk", ways.SDK}, {"default", ways.Default}, {"raw", raw}}
}

func through(b providers.Bucket) ReadFunc {
	return func(ctx context.Context, key string) (io.ReadCloser, error) {
		return b.Open(ctx, key, providers.ReadOptions{Length: HeadBytes})
	}
}

// cost is what a read took.
type cost struct{ took, cpu time.Duration }

// best is the least of each.
func best(rounds []cost) cost {
	least := rounds[0]
	for _, c := range rounds[1:] {
		least = cost{min(least.took, c.took), min(least.cpu, c.cpu)}
	}
	return least
}

// ratio is the median, over the rounds, of one way's rate to another's.
func ratio(of, to []cost) float64 {
	ratios := make([]float64, len(of))
	for i := range of {
		ratios[i] = of[i].rate() / to[i].rate()
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2]
}

func (c cost) rate() float64 { return 1 / c.took.Seconds() }
func (c cost) each() float64 { return float64(c.cpu.Nanoseconds()) / 1000 }

// readMany reads a round's objects, so many at a time.
func readMany(b *testing.B, w way, flight int) cost {
	b.Helper()
	var wg sync.WaitGroup
	var next atomic.Int64
	cpu, start := processTime(b), time.Now()
	for range flight {
		wg.Go(func() {
			data := make([]byte, HeadBytes)
			for i := next.Add(1); i <= roundReads; i = next.Add(1) {
				if err := readHead(b.Context(), w, fmt.Sprintf("images/%08d.jpg", i), data); err != nil {
					b.Errorf("%s: %v", w.name, err)
					return
				}
			}
		})
	}
	wg.Wait()
	return cost{time.Since(start) / roundReads, (processTime(b) - cpu) / roundReads}
}

func readHead(ctx context.Context, w way, key string, data []byte) error {
	body, err := w.open(ctx, key)
	if err != nil {
		return err
	}
	_, err = io.ReadFull(body, data)
	if err == nil {
		_, err = io.Copy(io.Discard, body) // to the end, or the connection is lost
	}
	return errors.Join(err, body.Close())
}

// processTime is the processor time that this process has used.
func processTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
