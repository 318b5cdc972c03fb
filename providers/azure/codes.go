package azure

import (
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
)

// kindOfCode says what a code of the service means. The sources are "Common
// REST API error codes" and "Blob Storage error codes"; codes that are not
// here mean what their status means.
func kindOfCode(code string, status int) providers.Kind {
	switch code {
	case "AuthenticationFailed", "InvalidAuthenticationInfo", "NoAuthenticationInformation":
		return providers.Unauthenticated
	// An account that forbids anonymous access answers with a conflict.
	case "PublicAccessNotPermitted", "KeyBasedAuthenticationNotPermitted", "AccountIsDisabled", "InsufficientAccountPermissions",
		"BlobImmutableDueToPolicy", "UnauthorizedBlobOverwrite", "ContainerDisabled":
		return providers.Denied
	case "ContainerNotFound", "BlobNotFound", "ResourceNotFound":
		return providers.NotFound
	case "ConditionNotMet", "BlobAlreadyExists", "TargetConditionNotMet":
		return providers.Conflict
	case "ServerBusy", "TooManyRequests":
		return providers.Throttled
	// The last four are accidents of one request: a body damaged or cut short
	// on the way, blocks that another writer's commit threw away.
	case "OperationTimedOut", "InternalError", "ContainerBeingDeleted", "Md5Mismatch", "Crc64Mismatch", "RequestBodyInvalid", "InvalidBlockList":
		return providers.Unavailable
	case "BlobArchived", "BlobBeingRehydrated", "BlobUsesCustomerSpecifiedEncryption", "InvalidBlobType", "InvalidRange",
		"InvalidUri", "InvalidResourceName", "DirectoryIsNotEmpty", "FeatureNotSupportedForAccount":
		return providers.Invalid
	}
	if strings.HasPrefix(code, "KeyVault") || strings.HasPrefix(code, "EncryptionScope") || strings.HasPrefix(code, "Authorization") {
		return providers.Denied
	}
	return driver.KindOfStatus(status)
}
