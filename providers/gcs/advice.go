package gcs

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
)

// advice says what to do about an error that Google told; empty means that
// its kind's general advice will do.
func (b *bucket) advice(e *providers.Error) string {
	text := strings.ToLower(e.Detail)
	switch {
	case e.Code == noSuchBucket:
		return "Check storage.bucket: gcloud storage buckets describe gs://" + b.storage.Bucket + " must find it."
	case e.Code == userProjectMissing:
		return b.projectAdvice()
	case strings.Contains(text, "serviceusage.services.use"):
		return fmt.Sprintf("Let the account bill storage.project: gcloud projects add-iam-policy-binding %s --member=%s"+
			" --role=roles/serviceusage.serviceUsageConsumer.", orElse(b.storage.Project, "PROJECT"), b.memberIn(e.Detail))
	case strings.Contains(text, "kms"), isKeyState(text):
		return keyAdvice(text)
	case strings.Contains(text, "billing account"), strings.Contains(text, "billing is disabled"), e.Code == "accountDisabled", e.Code == "BILLING_DISABLED":
		return "Link an active billing account to the bucket's project: gcloud billing projects link PROJECT --billing-account=ACCOUNT."
	case e.Code == "SERVICE_DISABLED", e.Code == "accessNotConfigured":
		return "Enable the API in the account's project: gcloud services enable storage.googleapis.com --project=PROJECT."
	case e.Code == "SECURITY_POLICY_VIOLATED", strings.Contains(text, "prohibited by organization's policy"), strings.Contains(text, "vpcservicecontrols"):
		return "The bucket lies inside a VPC Service Controls perimeter: let its administrator add an ingress rule for this account and the worker's address."
	case strings.Contains(text, "retention policy"), e.Code == "retentionPolicyNotMet", strings.Contains(text, "active hold"):
		return "The object is under a retention policy or a hold: write to another key, or wait until it ends."
	case e.Status == http.StatusUnauthorized && e.Kind == providers.Unauthenticated:
		return "Google does not take the token: check that the service account exists and is enabled, or create a new key for auth.key_file."
	case e.Kind == providers.Denied:
		return b.grantAdvice(e.Detail)
	}
	return ""
}

func (b *bucket) projectAdvice() string {
	if b.storage.Project == "" {
		return "The bucket wants the requester to pay: set storage.project to the ID of the project to bill, and grant its account serviceusage.services.use there."
	}
	return "Check storage.project: the bucket wants the requester to pay, and does not take this project."
}

func keyAdvice(text string) string {
	if isKeyState(text) {
		return "The KMS key that the object is encrypted with is disabled or destroyed: enable its version with" +
			" gcloud kms keys versions enable VERSION --key=KEY --keyring=RING --location=LOCATION."
	}
	return "Let Cloud Storage's own service agent use the key, not the account that reads:" +
		" gcloud storage service-agent --project=PROJECT --authorize-cmek=KEY (it grants roles/cloudkms.cryptoKeyEncrypterDecrypter)."
}

// grantAdvice reads "X does not have storage.objects.get access to the Google
// Cloud Storage object.".
func (b *bucket) grantAdvice(detail string) string {
	permission := between(detail, "does not have ", " access")
	if permission == "" {
		permission = between(detail, "Permission '", "'")
	}
	member := b.memberIn(detail)
	anonymous := strings.HasPrefix(detail, "Anonymous")
	switch {
	case anonymous && roleFor(permission) == roleUser:
		return "Use method key-file: a bucket that everybody may write to is no place for results."
	case anonymous:
		return fmt.Sprintf("Open the bucket to everybody: %s, and gcloud storage buckets update gs://%s --no-public-access-prevention"+
			" if public access prevention is enforced on it; or use method key-file.", b.grant(member, roleFor(permission)), b.storage.Bucket)
	}
	switch permission {
	case "storage.objects.list", "storage.objects.get":
		return fmt.Sprintf("Grant %s (the basic role Viewer is not enough by itself): %s.", permission, b.grant(member, roleFor(permission)))
	case "storage.objects.create":
		return fmt.Sprintf("Grant %s: %s.", permission, b.grant(member, roleFor(permission)))
	case "storage.objects.delete":
		return fmt.Sprintf("Replacing an object needs storage.objects.delete, which Storage Object Creator lacks: %s.", b.grant(member, roleFor(permission)))
	}
	return fmt.Sprintf("Google does not say which permission is missing. To read: %s. To write as well, grant roles/storage.objectUser. Conditions, deny policies and IP filters of the bucket can also be the cause.",
		b.grant(member, roleViewer))
}

const (
	roleViewer = "roles/storage.objectViewer" // list and read
	roleUser   = "roles/storage.objectUser"   // also write, replace and delete
)

func roleFor(permission string) string {
	switch permission {
	case "storage.objects.create", "storage.objects.delete":
		return roleUser
	}
	return roleViewer
}

func (b *bucket) grant(member, role string) string {
	return fmt.Sprintf("gcloud storage buckets add-iam-policy-binding gs://%s --member=%s --role=%s", b.storage.Bucket, member, role)
}

// memberIn is the account to grant something to: the one that a message
// begins with, or the login's own.
func (b *bucket) memberIn(detail string) string {
	if email, _, _ := strings.Cut(detail, " "); isAccount(email) {
		return "serviceAccount:" + email
	}
	return orElse(b.sign.who.member(), "serviceAccount:EMAIL")
}

// tokenAdvice says what to do about a token endpoint that refused. Google
// tells these apart only in words.
func tokenAdvice(e *providers.Error) string {
	text := strings.ToLower(e.Detail)
	switch {
	case strings.Contains(text, "signature"):
		return "The key was deleted or replaced: create a new one with gcloud iam service-accounts keys create, and give it as auth.key_file."
	case strings.Contains(text, "account not found"):
		return "The service account of auth.key_file was deleted: create it again, or use the key of another."
	case strings.Contains(text, "disabled"), e.Code == "disabled_client":
		return "The service account of auth.key_file is disabled: gcloud iam service-accounts enable EMAIL."
	case strings.Contains(text, "timeframe"), strings.Contains(text, "iat and exp"):
		return "Set the clock of the worker: Google takes the time in its requests for wrong."
	}
	return "Create a new key with gcloud iam service-accounts keys create, and give it as auth.key_file."
}

func between(text, before, after string) string {
	_, rest, found := strings.Cut(text, before)
	if !found {
		return ""
	}
	inside, _, found := strings.Cut(rest, after)
	if !found || strings.ContainsAny(inside, " '") {
		return ""
	}
	return inside
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}
