package gcserror

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
)

// advice returns what to do about an error that Google reported. It is
// empty when the general advice of the error's kind is enough.
func (w Wrapper) advice(e *providers.Error) string {
	text := strings.ToLower(e.Detail)
	switch {
	case e.Code == CodeNoSuchBucket:
		return fmt.Sprintf("Check storage.bucket: "+
			"gcloud storage buckets describe gs://%s must find it.", w.Storage.Bucket)
	case e.Code == CodeUserProjectMissing:
		return w.projectAdvice()
	case strings.Contains(text, "serviceusage.services.use"):
		return w.billingRightAdvice(e.Detail)
	case isAboutKey(text), isKeyState(text):
		return kmsAdvice(text)
	}
	if advice := ownerAdvice(e.Code, text); advice != "" {
		return advice
	}

	switch {
	case e.Status == http.StatusUnauthorized && e.Kind == providers.Unauthenticated:
		return "Google refuses the token: check that the service account exists and is enabled, " +
			"or create a new key for auth.key_file."
	case e.Kind == providers.Denied:
		return w.deniedAdvice(e.Detail)
	}
	return ""
}

// ownerAdvice returns advice on what only the bucket's or the project's
// owner can change, apart from rights. text is the message in lower case.
func ownerAdvice(code, text string) string {
	switch {
	case strings.Contains(text, "billing account"),
		strings.Contains(text, "billing is disabled"),
		code == "accountDisabled", code == "BILLING_DISABLED":
		return "Link an active billing account to the bucket's project: " +
			"gcloud billing projects link PROJECT --billing-account=ACCOUNT."

	case code == "SERVICE_DISABLED", code == "accessNotConfigured":
		return "Enable the API in the account's project: " +
			"gcloud services enable storage.googleapis.com --project=PROJECT."

	case code == "SECURITY_POLICY_VIOLATED",
		strings.Contains(text, "prohibited by organization's policy"),
		strings.Contains(text, "vpcservicecontrols"):
		return "The bucket is inside a VPC Service Controls perimeter: let its administrator " +
			"add an ingress rule for this account and the worker's address."

	case strings.Contains(text, "retention policy"),
		code == "retentionPolicyNotMet",
		strings.Contains(text, "active hold"):
		return "The object is under a retention policy or a hold: " +
			"write to another key, or wait until it ends."
	}
	return ""
}

func (w Wrapper) projectAdvice() string {
	if w.Storage.Project == "" {
		return "The bucket wants the requester to pay: " +
			"set storage.project to the ID of the project to bill, " +
			"and grant its account serviceusage.services.use there."
	}
	return "Check storage.project: the bucket wants the requester to pay, " +
		"and does not accept this project."
}

func (w Wrapper) billingRightAdvice(detail string) string {
	return fmt.Sprintf("Let the account bill storage.project: "+
		"gcloud projects add-iam-policy-binding %s --member=%s "+
		"--role=roles/serviceusage.serviceUsageConsumer.",
		cmp.Or(w.Storage.Project, "PROJECT"), w.memberIn(detail))
}

func kmsAdvice(text string) string {
	if isKeyState(text) {
		return "The KMS key that the object is encrypted with is disabled or destroyed: " +
			"enable its version with gcloud kms keys versions enable VERSION " +
			"--key=KEY --keyring=RING --location=LOCATION."
	}
	return "Let Cloud Storage's own service agent use the key, not the account that reads: " +
		"gcloud storage service-agent --project=PROJECT --authorize-cmek=KEY " +
		"(it grants roles/cloudkms.cryptoKeyEncrypterDecrypter)."
}
