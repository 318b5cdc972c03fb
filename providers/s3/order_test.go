package s3_test

import (
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/fastlist"
	"github.com/stevedore-jobs/stevedore/providers/keyorder"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
	"github.com/stevedore-jobs/stevedore/providers/providertest/servers"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3test"
)

func TestList_InEachOrder(t *testing.T) {
	t.Parallel()
	server := servers.S3(t)
	for _, order := range keyorder.Unknown.Each() {
		t.Run(order.String(), func(t *testing.T) {
			t.Parallel()
			providertest.RunListing(t, func(t testing.TB) providers.Bucket {
				t.Helper()
				b := s3test.OpenAt(t, server.Endpoint, server.BucketIn(t, order), server.Root)
				return fastlist.WithParallelListing(b, 4)
			})
			b := s3test.OpenAt(t, server.Endpoint, server.BucketIn(t, order), server.Root)
			providertest.WantFoundOrder(t, b, order, providertest.Sorted(order,
				"a/1.jpg", "a-b/1.jpg", "a-b/2.jpg", "（１）.jpg", "𠮷野.jpg", "😀.jpg")...)
		})
	}
}
