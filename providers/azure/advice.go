package azure

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
)

// advice says what to do about an error; empty means that its kind's general
// advice will do.
func (b *bucket) advice(e *providers.Error) string {
	switch e.Code {
	case "AuthenticationFailed", "InvalidAuthenticationInfo", "NoAuthenticationInformation":
		return b.unauthenticatedAdvice()
	case "PublicAccessNotPermitted":
		return fmt.Sprintf("The account forbids anonymous access: use method sas, or allow it (az storage account update --name %s --allow-blob-public-access true).", b.account())
	case "ContainerNotFound":
		return "Check bucket: account " + b.account() + " has no container of this name."
	case "ContainerBeingDeleted", "ContainerDisabled":
		return "The container is being deleted or is disabled: ask its owner."
	case "ResourceNotFound":
		return "For anonymous callers the service does not tell a private container from a missing one: check account and bucket, or use method sas."
	case "BlobArchived", "BlobBeingRehydrated":
		return fmt.Sprintf("The blob is archived: bring it back first (az storage blob set-tier --account-name %s --container-name %s --tier Hot --name <blob>; it takes hours), or leave it out.", b.account(), b.storage.Bucket)
	case "BlobUsesCustomerSpecifiedEncryption":
		return "The blob is encrypted with a key that its writer sends along with each request: write it anew without one."
	case "InvalidUri", "InvalidResourceName", "OutOfRangeInput":
		return "Check bucket (3 to 63 lower-case letters, digits and single hyphens) and the key's characters."
	case "ServerBusy", "OperationTimedOut":
		return "The account asks for fewer requests: run fewer workers on it."
	case "LeaseIdMissing", "LeaseNotPresentWithBlobOperation":
		return "Somebody holds a lease on the blob: end it (az storage blob lease break)."
	case "BlobImmutableDueToPolicy":
		return "An immutability policy protects the blob: write under another prefix, or change the policy."
	case "InvalidBlobType":
		return "The key holds an append or page blob: delete it, or write elsewhere."
	case "AccountIsDisabled":
		return "The storage account is disabled: ask its owner."
	}
	if strings.HasPrefix(e.Code, "KeyVault") || strings.HasPrefix(e.Code, "EncryptionScope") {
		return "The account's encryption key cannot be used: in Key Vault, check that the key is enabled and that the account's identity has the role Key Vault Crypto Service Encryption User."
	}
	return b.rightsAdvice(e)
}

// rightsAdvice is about credentials that are known and may not.
func (b *bucket) rightsAdvice(e *providers.Error) string {
	switch e.Code {
	case "AuthorizationPermissionMismatch", "InsufficientAccountPermissions", "UnauthorizedBlobOverwrite", "AuthorizationFailure":
		if e.Code == "AuthorizationFailure" {
			return fmt.Sprintf("The account's firewall refuses the worker, or the credentials are not enough: allow the worker's network (az storage account network-rule add --account-name %s --ip-address <worker>), or %s", b.account(), lowered(b.grantAdvice(e.Op)))
		}
		return b.grantAdvice(e.Op)
	case "AuthorizationResourceTypeMismatch":
		if e.Op == "list" {
			return "Make a SAS token with Container among the allowed resource types: srt must hold c."
		}
		return "Make a SAS token with Object among the allowed resource types: srt must hold o."
	case "AuthorizationServiceMismatch":
		return "Make a SAS token with Blob among the allowed services: ss must hold b."
	case "AuthorizationProtocolMismatch":
		return "The SAS token is for https only (spr): write https:// in the endpoint, or make one for HTTPS and HTTP."
	case "AuthorizationSourceIPMismatch":
		return "The SAS token is not for the worker's address: make one with that address in sip, or without sip."
	case "KeyBasedAuthenticationNotPermitted":
		return fmt.Sprintf("The account refuses account keys and what is signed with them: use method service-principal or a user delegation SAS, or allow keys (az storage account update --name %s --allow-shared-key-access true).", b.account())
	}
	return ""
}

// grantAdvice names the SAS letter or the role that an operation needs.
func (b *bucket) grantAdvice(op string) string {
	letter, role := "r (Read)", "Storage Blob Data Reader"
	switch op {
	case "list":
		letter = "l (List)"
	case "put":
		letter, role = "w (Write)", "Storage Blob Data Contributor"
	case "delete":
		letter, role = "d (Delete)", "Storage Blob Data Contributor"
	}
	switch {
	case b.access.token != nil:
		return fmt.Sprintf("Give the identity the role %s: az role assignment create --assignee %s --role %q --scope <account's resource ID>/blobServices/default/containers/%s (it takes minutes to work).",
			role, b.access.assignee, role, b.storage.Bucket)
	case b.access.sas.policy() != "":
		return fmt.Sprintf("Add %s to the container's stored access policy %q.", letter, driver.Printable(b.access.sas.policy()))
	case b.access.sas.get("skoid") != "":
		return "Make a SAS token whose permissions (sp) hold " + letter + "; whoever delegates it needs the role " + role + " too."
	}
	return "Make a SAS token whose permissions (sp) hold " + letter + "."
}

func (b *bucket) unauthenticatedAdvice() string {
	switch {
	case b.access.sas.raw != "":
		return "Make a new SAS token: this one is expired, not yet valid, changed on the way, or signed with a key that was replaced."
	case b.access.key != nil:
		return "Check the account key and account, and the worker's clock: the key may have been replaced (az storage account keys list --account-name " + b.account() + ")."
	case b.access.token != nil:
		return "Check auth.tenant_id: the account may belong to another directory."
	}
	return "Anonymous callers may not do this: use method sas."
}

func (b *bucket) account() string {
	if b.access.account == "" {
		return "<account>"
	}
	return b.access.account
}

func lowered(text string) string { return strings.ToLower(text[:1]) + text[1:] }

var timeFrame = regexp.MustCompile(`Start \[([^\]]{0,40})\] - Expiry \[([^\]]{0,40})\] - Current \[([^\]]{0,40})\]`)

// signatureAdvice reads the service's detail about a signature. Only its
// times are ever repeated; most of the rest is what was signed.
func signatureAdvice(detail string) (shown, fix string) {
	if m := timeFrame.FindStringSubmatch(detail); m != nil {
		return fmt.Sprintf("the SAS token is valid from %s to %s; the server's clock says %s", driver.Printable(m[1]), driver.Printable(m[2]), driver.Printable(m[3])),
			"Make a new SAS token whose start (st) and expiry (se) hold the server's time; if that time surprises you, set the worker's clock."
	}
	switch {
	case strings.Contains(detail, "must be after signed start time"):
		return "the SAS token ends before it starts", "Make a new SAS token whose expiry (se) is after its start (st)."
	case strings.Contains(detail, "Signature did not match"), strings.Contains(detail, "Signature fields not well formed"):
		return "the signature does not match", "Copy the SAS token again, whole: sig must not be cut or URL-encoded twice; if it is whole, the account key that signed it was replaced."
	case strings.Contains(detail, "MAC signature"):
		return "the signature does not match", "Check the account key and account: the key is mistyped, of another account, or was replaced (az storage account keys list)."
	case strings.Contains(detail, "Issuer validation failed"):
		return "the token is of another directory", "Check auth.tenant_id: it must be the directory of the storage account's subscription."
	case strings.Contains(detail, "is mandatory"):
		return "a part of the SAS token is missing", "Copy the SAS token again, whole: it must have sv, sp, se, sig, and sr or ss and srt."
	}
	return "the service does not accept the credentials", ""
}
