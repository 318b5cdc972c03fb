package azerror

import (
	"cmp"
	"fmt"

	"github.com/stevedore-jobs/stevedore/providers"
)

// advice returns what to do about an error that the service reported. It
// is empty when the general advice of the error's kind is enough.
func (w Wrapper) advice(e *providers.Error) string {
	if e.Kind == providers.Unauthenticated {
		return w.unauthenticatedAdvice()
	}
	switch e.Code {
	case "ServerBusy", "OperationTimedOut":
		return "The account asks for fewer requests: run fewer workers on it."
	case "InvalidUri", "InvalidResourceName", "OutOfRangeInput":
		return "Check bucket (3 to 63 lower-case letters, digits and single hyphens) " +
			"and the key's characters."
	}
	return cmp.Or(w.containerAdvice(e.Code), w.blobAdvice(e.Code), w.rightsAdvice(e))
}

// containerAdvice returns advice on errors about the account or the
// container.
func (w Wrapper) containerAdvice(code string) string {
	switch code {
	case "PublicAccessNotPermitted":
		return fmt.Sprintf("The account forbids anonymous access: use method sas, or allow it "+
			"(az storage account update --name %s --allow-blob-public-access true).",
			w.Credentials.Account)
	case "AccountIsDisabled":
		return "The storage account is disabled: ask its owner."
	case "ContainerNotFound":
		return "Check bucket: account " + w.Credentials.Account + " has no container of this name."
	case "ContainerBeingDeleted", "ContainerDisabled":
		return "The container is being deleted or is disabled: ask its owner."
	case "ResourceNotFound":
		return "To anonymous callers, the service gives the same answer " +
			"for a private container and a missing one: " +
			"check account and bucket, or use method sas."
	}
	return ""
}

// blobAdvice returns advice on errors about the state of one blob.
func (w Wrapper) blobAdvice(code string) string {
	switch code {
	case "BlobArchived", "BlobBeingRehydrated":
		return w.ArchivedAdvice()
	case "BlobUsesCustomerSpecifiedEncryption":
		return "The blob is encrypted with a key that its writer sends along " +
			"with each request: write it anew without one."
	case "LeaseIdMissing", "LeaseNotPresentWithBlobOperation":
		return "Somebody holds a lease on the blob: end it (az storage blob lease break)."
	case "BlobImmutableDueToPolicy":
		return "An immutability policy protects the blob: " +
			"write under another prefix, or change the policy."
	case "InvalidBlobType":
		return "The key holds an append or page blob: delete it, or write elsewhere."
	}
	if isCustomerKeyCode(code) {
		return "The account's encryption key cannot be used: in Key Vault, " +
			"check that the key is enabled and that the account's identity has " +
			"the role Key Vault Crypto Service Encryption User."
	}
	return ""
}

// ArchivedAdvice returns advice on archived blobs.
func (w Wrapper) ArchivedAdvice() string {
	return fmt.Sprintf("The blob is archived: bring it back first (az storage blob set-tier "+
		"--account-name %s --container-name %s --tier Hot --name <blob>; it takes hours), "+
		"or leave it out.", w.Credentials.Account, w.Storage.Bucket)
}

func (w Wrapper) unauthenticatedAdvice() string {
	switch w.Credentials.Kind {
	case SAS:
		return "Make a new SAS token: this one is expired, not yet valid, " +
			"changed on the way, or signed with a key that was replaced."
	case AccountKey:
		return "Check the account key and account, and the worker's clock: " +
			"the key may have been replaced " +
			"(az storage account keys list --account-name " + w.Credentials.Account + ")."
	case Token:
		return "Check auth.tenant_id: the account may belong to another directory."
	}
	return "Anonymous callers may not do this: use method sas."
}
