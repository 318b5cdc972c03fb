package client

import (
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
)

// ListOptions returns the options of a listing. It asks for metadata,
// because IsFolder needs it.
func ListOptions(prefix string) *container.ListBlobsFlatOptions {
	o := &container.ListBlobsFlatOptions{Include: container.ListBlobsInclude{Metadata: true}}
	if prefix != "" {
		o.Prefix = &prefix
	}
	return o
}

// IsFolder recognises, by its metadata, an empty blob that stands for a
// directory. Accounts with a hierarchical namespace have such blobs, and
// some tools make them in other accounts.
func IsFolder(metadata map[string]*string) bool {
	for name, value := range metadata {
		if strings.EqualFold(name, "hdi_isfolder") &&
			value != nil && strings.EqualFold(*value, "true") {
			return true
		}
	}
	return false
}

// IfMatch returns the condition that a blob has an ETag, which has no
// quotes. It returns nil for an empty ETag.
func IfMatch(etag string) *blob.AccessConditions {
	if etag == "" {
		return nil
	}
	quoted := azcore.ETag(`"` + etag + `"`)
	return &blob.AccessConditions{
		ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfMatch: &quoted},
	}
}
