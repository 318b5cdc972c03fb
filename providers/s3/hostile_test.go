package s3_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers/providertest"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3test"
)

// page makes an answer to a listing. more means that another page
// follows, with the token "next".
func page(objects string, more bool) string {
	rest := ""
	if more {
		rest = "<IsTruncated>true</IsTruncated><NextContinuationToken>next</NextContinuationToken>"
	}
	return "<ListBucketResult><Name>b</Name>" + rest + objects + "</ListBucketResult>"
}

// Answers that S3 would never give are named as the server's fault,
// after few requests.
func TestImpossibleAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		op, body, code, says string
	}{
		"NegativeSize":  {"list", page("<Contents><Key>k</Key><Size>-5</Size></Contents>", false), "WrongAnswer", "a size of -5 bytes for k"},
		"NoKey":         {"list", page("<Contents/>", false), "WrongAnswer", "an object without a key"},
		"LongKey":       {"list", page("<Contents><Key>"+strings.Repeat("k", 1025)+"</Key></Contents>", false), "KeyTooLong", "a key of 1025 bytes, more than 1024"},
		"LongETag":      {"list", page("<Contents><Key>k</Key><ETag>"+strings.Repeat("e", 1025)+"</ETag></Contents>", false), "WrongAnswer", "an ETag of 1025 bytes"},
		"SameToken":     {"list", page("", true), "EndlessListing", "the same token again"},
		"TooManyOnPage": {"list", page(strings.Repeat("<Contents><Key>k</Key></Contents>", 10_001), false), "AnswerTooLarge", "more than 10000 objects"},
		"NoETag":        {"put", "", "NotS3", "no ETag"},
		"NoUploadID":    {"upload", "<InitiateMultipartUploadResult/>", "NotS3", "no UploadId"},
		"NoPartETag":    {"upload", "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>", "NotS3", "no ETag"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int32
			b := s3test.OpenHandler(t, func(w http.ResponseWriter, r *http.Request) {
				requests.Add(1)
				_, _ = io.Copy(io.Discard, r.Body)
				_, _ = io.WriteString(w, c.body)
			})
			err := providertest.Operation(t.Context(), b, c.op)
			providertest.WantServerFault(t, err, c.code, c.says)
			if n := requests.Load(); n > 6 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

// A key of 1,024 bytes is the longest of S3.
func TestLongestKey(t *testing.T) {
	t.Parallel()
	key := strings.Repeat("本", 341) + "k"
	b := s3test.OpenHandler(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, page("<Contents><Key>"+key+"</Key></Contents>", false))
	})
	providertest.WantKeys(t, b, key)
}

// Pages that have no object and always another token end too.
func TestEndlessEmptyPages(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	b := s3test.OpenHandler(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Replace(page("", true), "next", fmt.Sprint(requests.Add(1)), 1))
	})
	err := providertest.Operation(t.Context(), b, "list")
	providertest.WantServerFault(t, err, "EndlessListing", "more than 1000 pages without objects")
	if n := requests.Load(); n != 1001 {
		t.Errorf("%d requests", n)
	}
}

// A page that is too large is asked for again, with fewer objects.
func TestShortPages(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("<x>"+strings.Repeat("x", 1000)+"</x>", 9<<10)
	b := s3test.OpenHandler(t, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		switch {
		case q.Get("continuation-token") == "":
			_, _ = io.WriteString(w, page("<Contents><Key>a</Key></Contents>", true))
		case q.Get("max-keys") == "":
			_, _ = io.WriteString(w, page("<Contents><Key>b</Key>"+long+"</Contents>", false))
		default:
			_, _ = io.WriteString(w, page("<Contents><Key>b</Key></Contents>", false))
		}
	})
	providertest.WantKeys(t, b, "a", "b")
}
