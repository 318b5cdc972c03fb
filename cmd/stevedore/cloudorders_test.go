package main

import (
	"testing"

	"github.com/stevedore-jobs/stevedore/providers/keyorder"
	"github.com/stevedore-jobs/stevedore/providers/providertest/servers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// Each job runs twice on a bucket of each order. The manifest is always
// in the order of code points.
func TestFourJobsInEachOrder(t *testing.T) {
	skipInShort(t)
	t.Parallel()
	for name, arrange := range map[string]func(*testing.T, keyorder.Order) tasks.Storage{
		"s3": s3InOrder, "azure": azureInOrder,
	} {
		for _, order := range keyorder.Unknown.Each() {
			t.Run(name+"/"+order.String(), func(t *testing.T) {
				t.Parallel()
				runOnPeer(t, arrange(t, order))
			})
		}
	}
	t.Run("Azurite", func(t *testing.T) {
		t.Parallel()
		store, _ := accountKeyConnection(t)
		runOnPeer(t, store)
	})
}

func s3InOrder(t *testing.T, order keyorder.Order) tasks.Storage {
	t.Helper()
	server := servers.S3(t)
	name := server.BucketIn(t, order)
	writer := server.Writer(t, name)
	return tasks.Storage{
		Provider: "s3", Bucket: name, Region: "us-east-1", Endpoint: server.Endpoint,
		Auth: tasks.Auth{
			Method: tasks.AuthAccessKey, AccessKeyID: writer.AccessKeyID,
			SecretAccessKey: secretFile(t, writer.SecretAccessKey),
		},
	}
}

// azureInOrder makes a container of an account that lists in an order.
// With directories it is as an account with a hierarchical namespace.
func azureInOrder(t *testing.T, order keyorder.Order) tasks.Storage {
	t.Helper()
	server := servers.Azure(t).In(t, order)
	auth := tasks.Auth{Method: tasks.AuthSAS, SASToken: secretFile(t, server.SAS())}
	return azureBucket(t, server, auth)
}
