package gcserror

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
)

// The permissions that Stevedore uses.
const (
	PermissionList   = "storage.objects.list"
	PermissionGet    = "storage.objects.get"
	PermissionCreate = "storage.objects.create"
	PermissionDelete = "storage.objects.delete"
)

// The roles that Stevedore advises to grant.
const (
	RoleViewer = "roles/storage.objectViewer" // lists and reads
	RoleUser   = "roles/storage.objectUser"   // also writes, replaces and deletes
)

func roleFor(permission string) string {
	switch permission {
	case PermissionCreate, PermissionDelete:
		return RoleUser
	}
	return RoleViewer
}

// deniedAdvice returns advice on a denied request. It reads Google's
// message: "ann@example.iam.gserviceaccount.com does not have
// storage.objects.get access to the Google Cloud Storage object."
func (w Wrapper) deniedAdvice(detail string) string {
	permission := cmp.Or(
		between(detail, "does not have ", " access"),
		between(detail, "Permission '", "'"),
	)
	member := w.memberIn(detail)
	if strings.HasPrefix(detail, "Anonymous") {
		return w.anonymousAdvice(permission, member)
	}
	return w.permissionAdvice(permission, member)
}

func (w Wrapper) anonymousAdvice(permission, member string) string {
	role := roleFor(permission)
	if role == RoleUser {
		return "Use method key-file: " +
			"results must not be written to a bucket that everybody may write to."
	}
	return fmt.Sprintf("Open the bucket to everybody: %s, and "+
		"gcloud storage buckets update gs://%s --no-public-access-prevention "+
		"if public access prevention is enforced on it; or use method key-file.",
		w.grantCommand(member, role), w.Storage.Bucket)
}

// PermissionAdvice returns how to grant a permission to the account that
// sends the requests.
func (w Wrapper) PermissionAdvice(permission string) string {
	return w.permissionAdvice(permission, w.member())
}

func (w Wrapper) permissionAdvice(permission, member string) string {
	command := w.grantCommand(member, roleFor(permission))
	switch permission {
	case PermissionList, PermissionGet:
		return fmt.Sprintf("Grant %s (the basic role Viewer is not enough by itself): %s.",
			permission, command)
	case PermissionCreate:
		return fmt.Sprintf("Grant %s: %s.", permission, command)
	case PermissionDelete:
		return fmt.Sprintf("Replacing an object needs storage.objects.delete, "+
			"which Storage Object Creator lacks: %s.", command)
	}
	return fmt.Sprintf("Google does not say which permission is missing. To read: %s. "+
		"To write as well, grant roles/storage.objectUser. "+
		"Conditions, deny policies and IP filters of the bucket can also be the cause.",
		w.grantCommand(member, RoleViewer))
}

// GrantCommand returns the command that grants a role on the bucket to
// the account that sends the requests.
func (w Wrapper) GrantCommand(role string) string { return w.grantCommand(w.member(), role) }

func (w Wrapper) grantCommand(member, role string) string {
	return fmt.Sprintf(
		"gcloud storage buckets add-iam-policy-binding gs://%s --member=%s --role=%s",
		w.Storage.Bucket, member, role)
}

// memberIn returns the account that a message begins with. Without one it
// returns the account that sends the requests.
func (w Wrapper) memberIn(detail string) string {
	if email, _, _ := strings.Cut(detail, " "); IsServiceAccount(email) {
		return "serviceAccount:" + email
	}
	return w.member()
}

func (w Wrapper) member() string { return cmp.Or(w.Member, "serviceAccount:EMAIL") }

var serviceAccount = regexp.MustCompile(
	`^[a-z0-9][a-z0-9.:-]{0,99}@[a-z0-9][a-z0-9.-]{0,99}\.gserviceaccount\.com$`)

// IsServiceAccount reports whether a text is the email of a service
// account. It accepts no character that has a meaning in a URL's path or
// in a shell: emails become part of both.
func IsServiceAccount(email string) bool { return serviceAccount.MatchString(email) }

// between returns the word between two marks. Empty means no such word.
func between(text, before, after string) string {
	_, rest, found := strings.Cut(text, before)
	if !found {
		return ""
	}
	word, _, found := strings.Cut(rest, after)
	if !found || strings.ContainsAny(word, " '") {
		return ""
	}
	return word
}
