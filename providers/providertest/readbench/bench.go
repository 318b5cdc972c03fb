//go:build unix

// Package readbench compares the ways to read the beginning of many
// small objects: through a provider's bucket, with the bare SDK, and
// with net/http. Every cloud has such a benchmark.
//
// It knows providers.Bucket and HTTP. It knows no cloud.
package readbench

import (
	"context"
	"io"
	"net/http"
	"slices"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/egress"
)

const (
	// HeadBytes is how much of an object is read.
	HeadBytes = 16 << 10
	// HeadRange is the header Range that asks for it.
	HeadRange = "bytes=0-16383"
)

// Cloud is what the benchmarks must know of a cloud.
type Cloud struct {
	// Answer holds the cloud's own headers of an answer with the
	// first HeadBytes of an object.
	Answer map[string]string
	// Ways makes the ways to read from a server at endpoint.
	Ways func(b *testing.B, endpoint string, client *http.Client) Ways
}

// Ways are the ways to read that are compared. They need not read a
// body to its end: the benchmark does.
type Ways struct {
	Bucket  providers.Bucket        // uses the client
	SDK     ReadFunc                // the bare SDK with the client
	Default ReadFunc                // the bare SDK with the transport that it makes itself
	URL     func(key string) string // for net/http, without a signature
}

// ReadFunc requests the first HeadBytes of an object.
type ReadFunc func(ctx context.Context, key string) (io.ReadCloser, error)

type way struct {
	name string
	open ReadFunc
}

// Bench reads the first 16 KiB of objects, many at a time, from a
// plain server in another process: through the bucket, with the SDK
// on the same transport, with the SDK on its own transport, and with
// net/http alone, which has neither signatures nor limits. The ways
// take turns, so that all of them run on the machine in the same state.
// A rate is that of the way's best round. A ratio is the median of the
// ratios of the rounds. The package must have a test TestServeReads
// that calls Serve.
func (c Cloud) Bench(b *testing.B) {
	b.Helper()
	plain, secure := startServer(b)
	for _, run := range []struct {
		name, endpoint string
		inFlight       int
	}{
		{"HTTP/64", plain, 64},
		{"HTTP/256", plain, 256},
		{"TLS/64", secure, 64},
		{"TLS/256", secure, 256},
	} {
		b.Run(run.name, func(b *testing.B) {
			costs := measure(b, c.ways(b, run.endpoint), run.inFlight)
			for name, rounds := range costs {
				b.ReportMetric(best(rounds).rate(), name+"/s")
				b.ReportMetric(best(rounds).microseconds(), name+"-µs-CPU")
			}
			b.ReportMetric(ratio(cost.rate, costs["bucket"], costs["sdk"]), "of-sdk")
			b.ReportMetric(ratio(cost.rate, costs["bucket"], costs["default"]), "of-default")
			b.ReportMetric(ratio(cost.microseconds, costs["bucket"], costs["raw"]), "CPU-of-raw")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchAlone measures the client's own part of a read: the answers
// come from memory.
func (c Cloud) BenchAlone(b *testing.B) {
	b.Helper()
	transport := memoryTransport{c.Answer, make([]byte, HeadBytes)}
	ways := c.Ways(b, "http://127.0.0.1:1", &http.Client{Transport: transport})
	for _, w := range []way{{"bucket", throughBucket(ways.Bucket)}, {"sdk", ways.SDK}} {
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

// measure returns the cost of each way, by round.
func measure(b *testing.B, ways []way, inFlight int) map[string][]cost {
	b.Helper()
	const rounds = 15
	costs := map[string][]cost{}
	for _, w := range ways {
		readMany(b, w, inFlight) // opens the connections
	}
	for b.Loop() {
		for range rounds {
			for _, w := range ways {
				costs[w.name] = append(costs[w.name], readMany(b, w, inFlight))
			}
			slices.Reverse(ways) // so that no way always follows the same one
		}
	}
	return costs
}

func (c Cloud) ways(b *testing.B, endpoint string) []way {
	b.Helper()
	allow, err := egress.ParseAllow("127.0.0.0/8")
	if err != nil {
		b.Fatal(err)
	}
	client := egress.Policy{Allow: allow}.Client()
	b.Cleanup(client.CloseIdleConnections)
	ways := c.Ways(b, endpoint, client)
	return []way{
		{"bucket", throughBucket(ways.Bucket)},
		{"sdk", ways.SDK},
		{"default", ways.Default},
		{"raw", throughHTTP(bareClient(b), ways.URL)},
	}
}

// bareClient makes a client of net/http alone, with enough connections.
func bareClient(b *testing.B) *http.Client {
	b.Helper()
	client := &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: 512, DisableCompression: true,
	}}
	b.Cleanup(client.CloseIdleConnections)
	return client
}

func throughBucket(b providers.Bucket) ReadFunc {
	return func(ctx context.Context, key string) (io.ReadCloser, error) {
		return b.Open(ctx, key, providers.ReadOptions{Length: HeadBytes})
	}
}

func throughHTTP(client *http.Client, url func(key string) string) ReadFunc {
	return func(ctx context.Context, key string) (io.ReadCloser, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url(key), nil)
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
}
