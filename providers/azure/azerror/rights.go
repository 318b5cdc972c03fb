package azerror

import (
	"fmt"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
)

// rightsAdvice returns advice on credentials that the service accepts,
// but that do not allow the operation.
func (w Wrapper) rightsAdvice(e *providers.Error) string {
	switch e.Code {
	case "AuthorizationPermissionMismatch", "InsufficientAccountPermissions",
		"UnauthorizedBlobOverwrite":
		return w.grantAdvice(e.Op)

	case "AuthorizationFailure":
		return fmt.Sprintf("The account's firewall refuses the worker, "+
			"or the credentials are not enough: allow the worker's network "+
			"(az storage account network-rule add --account-name %s --ip-address <worker>), or %s",
			w.Credentials.Account, lowerFirst(w.grantAdvice(e.Op)))

	case "AuthorizationResourceTypeMismatch":
		if e.Op == "list" {
			return "Make a SAS token with Container among the allowed resource types: " +
				"srt must hold c."
		}
		return "Make a SAS token with Object among the allowed resource types: srt must hold o."

	case "AuthorizationServiceMismatch":
		return "Make a SAS token with Blob among the allowed services: ss must hold b."

	case "AuthorizationProtocolMismatch":
		return "The SAS token is for https only (spr): write https:// in the endpoint, " +
			"or make one for HTTPS and HTTP."

	case "AuthorizationSourceIPMismatch":
		return "The SAS token is not for the worker's address: " +
			"make one with that address in sip, or without sip."

	case "KeyBasedAuthenticationNotPermitted":
		return fmt.Sprintf("The account refuses account keys and what is signed with them: "+
			"use method service-principal or a user delegation SAS, or allow keys "+
			"(az storage account update --name %s --allow-shared-key-access true).",
			w.Credentials.Account)
	}
	return ""
}

// grantAdvice returns how to grant the right to an operation: which
// letter the SAS token must have, or which role the identity.
func (w Wrapper) grantAdvice(op string) string {
	letter, role := "r (Read)", "Storage Blob Data Reader"
	switch op {
	case "list":
		letter = "l (List)"
	case "put":
		letter, role = "w (Write)", "Storage Blob Data Contributor"
	case "delete":
		letter, role = "d (Delete)", "Storage Blob Data Contributor"
	}

	c := w.Credentials
	switch {
	case c.Kind == Token:
		return fmt.Sprintf("Give the identity the role %s: "+
			"az role assignment create --assignee %s --role %q --scope "+
			"<account's resource ID>/blobServices/default/containers/%s "+
			"(it takes minutes to work).", role, c.Assignee, role, w.Storage.Bucket)
	case c.Policy != "":
		return fmt.Sprintf("Add %s to the container's stored access policy %q.",
			letter, driver.Printable(c.Policy))
	case c.Delegated:
		return "Make a SAS token whose permissions (sp) hold " + letter +
			"; its creator needs the role " + role + " too."
	}
	return "Make a SAS token whose permissions (sp) hold " + letter + "."
}

func lowerFirst(text string) string { return strings.ToLower(text[:1]) + text[1:] }
