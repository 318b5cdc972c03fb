package azerror

import (
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
)

// kindOfCode returns the kind of an error code of the service. The codes
// are from "Common REST API error codes" and "Blob Storage error codes".
// A code that is not here has the kind of its HTTP status.
func kindOfCode(code string, status int) providers.Kind {
	switch code {
	case "AuthenticationFailed", "InvalidAuthenticationInfo", "NoAuthenticationInformation":
		return providers.Unauthenticated

	// PublicAccessNotPermitted comes with the status of a conflict.
	case "PublicAccessNotPermitted", "KeyBasedAuthenticationNotPermitted",
		"AccountIsDisabled", "InsufficientAccountPermissions", "BlobImmutableDueToPolicy",
		"UnauthorizedBlobOverwrite", "ContainerDisabled":
		return providers.Denied

	case "ContainerNotFound", CodeBlobNotFound, "ResourceNotFound":
		return providers.NotFound

	case "ConditionNotMet", "BlobAlreadyExists", "TargetConditionNotMet":
		return providers.Conflict

	case "ServerBusy", "TooManyRequests":
		return providers.Throttled

	// The last four concern one request only: its body was damaged or cut
	// short on the way, or another writer's commit removed its blocks.
	case "OperationTimedOut", "InternalError", "ContainerBeingDeleted",
		"Md5Mismatch", "Crc64Mismatch", "RequestBodyInvalid", "InvalidBlockList":
		return providers.Unavailable

	case "BlobArchived", "BlobBeingRehydrated", "BlobUsesCustomerSpecifiedEncryption",
		"InvalidBlobType", "InvalidRange", "InvalidUri", "InvalidResourceName",
		"DirectoryIsNotEmpty", "FeatureNotSupportedForAccount":
		return providers.Invalid
	}

	if isCustomerKeyCode(code) || strings.HasPrefix(code, "Authorization") {
		return providers.Denied
	}
	return providers.KindOfStatus(status)
}

// isCustomerKeyCode reports whether a code is about the customer's
// encryption key.
func isCustomerKeyCode(code string) bool {
	return strings.HasPrefix(code, "KeyVault") || strings.HasPrefix(code, "EncryptionScope")
}
