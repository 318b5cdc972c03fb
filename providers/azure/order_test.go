package azure_test

import (
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/fastlist"
	"github.com/stevedore-jobs/stevedore/providers/keyorder"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
	"github.com/stevedore-jobs/stevedore/providers/providertest/servers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// The three names are in another order by UTF-16 units, by which
// Azurite lists, than by bytes.
func TestList_AzuriteListsByUTF16(t *testing.T) {
	t.Parallel()
	server := servers.Azure(t)
	b := open(t, tasks.AuthAccountKey, server.Endpoint, server.Container(t), server.Key)
	providertest.WantFoundOrder(t, b, keyorder.UTF16|keyorder.DirectoriesUTF16, "😀.jpg", "𠮷野.jpg", "（１）.jpg")
}

// Accounts with a hierarchical namespace list directory by directory.
func TestList_InEachOrder(t *testing.T) {
	t.Parallel()
	for _, order := range keyorder.Unknown.Each() {
		t.Run(order.String(), func(t *testing.T) {
			t.Parallel()
			server := servers.Azure(t).In(t, order)
			providertest.RunListing(t, func(t testing.TB) providers.Bucket {
				t.Helper()
				b := open(t, tasks.AuthAccountKey, server.Endpoint, server.Container(t), server.Key)
				return fastlist.WithParallelListing(b, 4)
			})
			b := open(t, tasks.AuthSAS, server.Endpoint, server.Container(t), server.SAS("sp", "rwld"))
			providertest.WantFoundOrder(t, b, order, providertest.Sorted(order,
				"a/1.jpg", "a-b/1.jpg", "a-b/2.jpg", "（１）.jpg", "𠮷野.jpg", "😀.jpg")...)
		})
	}
}
