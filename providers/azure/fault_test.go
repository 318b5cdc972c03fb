package azure_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/providertest/servers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// fault is one fault of a storage, and the check that must find it.
type fault struct {
	name   string
	sas    []string // parameters of an account SAS that differ from a valid one
	secret func(sas string) string
	method string // empty means sas
	stops  func(*http.Request) bool
	answer refusal

	check, code, fix string // fix is a part of the advice
}

// tokenFaults returns faults that are found in the SAS token, without a
// request.
func tokenFaults() []fault {
	soon, later := servers.SASTime(time.Hour), servers.SASTime(48*time.Hour)
	past := servers.SASTime(-time.Hour)
	signature := func(change func(string) string) func(string) string {
		return func(sas string) string {
			rest, sig, _ := strings.Cut(sas, "sig=")
			sig, after, _ := strings.Cut(sig, "&")
			return rest + "sig=" + change(sig) + "&" + after
		}
	}
	blob := func(string) string { return unverified().ContainerSAS("c", "sr", "b") }
	return []fault{
		{name: "ServiceLacksBlob", sas: []string{"ss", "fqt"}, check: "credentials", code: "SASService", fix: "ss=b"},
		{name: "TypesLackContainer", sas: []string{"srt", "o"}, check: "credentials", code: "SASResourceType", fix: "Container"},
		{name: "TypesLackObject", sas: []string{"srt", "c"}, check: "credentials", code: "SASResourceType", fix: "Object"},
		{name: "NoList", sas: []string{"sp", "rw"}, check: "credentials", code: "SASPermission", fix: "l (List)"},
		{name: "NoRead", sas: []string{"sp", "wl"}, check: "credentials", code: "SASPermission", fix: "r (Read)"},
		{name: "NoWrite", sas: []string{"sp", "rl"}, check: "credentials", code: "SASPermission", fix: "w (Write)"},
		{name: "Expired", sas: []string{"se", past}, check: "credentials", code: "SASExpired", fix: "(se)"},
		{name: "NotYetValid", sas: []string{"st", soon}, check: "credentials", code: "SASNotYetValid", fix: "(st)"},
		{name: "EndsBeforeItStarts", sas: []string{"st", later, "se", soon}, check: "credentials", code: "SASMalformed", fix: "se"},
		{name: "TimeUnreadable", sas: []string{"se", "tomorrow"}, check: "credentials", code: "SASMalformed", fix: "se"},
		{name: "HTTPSOnly", sas: []string{"spr", "https"}, check: "credentials", code: "SASProtocol", fix: "https://"},
		{name: "VersionMissing", sas: []string{"sv", ""}, check: "credentials", code: "SASMalformed", fix: "SAS token again"},
		{name: "EncodedTwice", secret: signature(url.QueryEscape), check: "credentials", code: "SASSignatureDamaged", fix: "sig"},
		{name: "PlusLost", secret: signature(func(string) string { return "ab+" + strings.Repeat("A", 40) + "=" }), check: "credentials", code: "SASSignatureDamaged", fix: "%2B"},
		{name: "CutShort", secret: signature(func(string) string { return "abcdefghijklmnopqrst" }), check: "credentials", code: "SASSignatureDamaged", fix: "whole"},
		{name: "NoSignature", secret: func(sas string) string { return strings.Replace(sas, "sig=", "six=", 1) }, check: "credentials", code: "SASSignatureDamaged", fix: "whole"},
		{name: "OneBlobOnly", secret: blob, check: "credentials", code: "SASResource", fix: "sr=c"},
		{name: "AnonymousWrite", method: tasks.AuthAnonymous, check: "credentials", code: "AnonymousCannotWrite", fix: "w (Write)"},
	}
}

const unauthenticated = "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature."

// serviceFaults returns faults that only the service finds, with its
// answers.
func serviceFaults() []fault {
	timeFrame := "Signature not valid in the specified time frame: Start [Thu, 09 Jul 2020 10:11:03 GMT] - Expiry [Thu, 09 Jul 2020 18:11:03 GMT] - Current [Fri, 10 Jul 2020 10:16:22 GMT]"
	policy := func(string) string { return unverified().ContainerSAS("c", "si", "team", "sp", "", "se", "") }
	const denied = "This request is not authorized to perform this operation"
	return []fault{
		{name: "ServerSaysExpired", stops: all, answer: refusal{403, "AuthenticationFailed", unauthenticated, timeFrame}, check: "list", code: "AuthenticationFailed", fix: "expiry (se)"},
		{name: "SignatureDiffers", stops: all, answer: refusal{403, "AuthenticationFailed", unauthenticated, "Signature did not match. String to sign used was devstoreaccount1 rwl"}, check: "list", code: "AuthenticationFailed", fix: "sig"},
		{name: "KeyRotated", method: tasks.AuthAccountKey, stops: all, answer: refusal{403, "AuthenticationFailed", unauthenticated, "The MAC signature found in the HTTP request 'x' is not the same as any computed signature."}, check: "list", code: "AuthenticationFailed", fix: "az storage account keys list"},
		{name: "AzuriteWrongKey", method: tasks.AuthAccountKey, stops: all, answer: refusal{403, "AuthorizationFailure", unauthenticated, ""}, check: "list", code: "AuthorizationFailure", fix: "Check the account key and account"},
		{name: "StoredPolicy", secret: policy, stops: all, answer: refusal{403, "AuthorizationPermissionMismatch", denied + " using this permission.", ""}, check: "list", code: "AuthorizationPermissionMismatch", fix: `l (List) to the container's stored access policy "team"`},
		{name: "ReadDenied", stops: reads, answer: refusal{403, "AuthorizationPermissionMismatch", denied + " using this permission.", ""}, check: "read", code: "AuthorizationPermissionMismatch", fix: "r (Read)"},
		{name: "WriteDenied", stops: writes, answer: refusal{403, "AuthorizationPermissionMismatch", denied + " using this permission.", ""}, check: "write", code: "AuthorizationPermissionMismatch", fix: "w (Write)"},
		{name: "VersionsDenied", stops: history, answer: refusal{403, "AuthorizationPermissionMismatch", denied + " using this permission.", ""}, check: "versions", code: "AuthorizationPermissionMismatch", fix: "l (List)"},
		{name: "TypeMismatch", stops: reads, answer: refusal{403, "AuthorizationResourceTypeMismatch", denied + " using this resource type.", ""}, check: "read", code: "AuthorizationResourceTypeMismatch", fix: "srt must hold o"},
		{name: "ServiceMismatch", stops: all, answer: refusal{403, "AuthorizationServiceMismatch", denied + " using this service.", ""}, check: "list", code: "AuthorizationServiceMismatch", fix: "ss must hold b"},
		{name: "ProtocolMismatch", stops: all, answer: refusal{403, "AuthorizationProtocolMismatch", denied + " using this protocol.", ""}, check: "list", code: "AuthorizationProtocolMismatch", fix: "https://"},
		{name: "AddressMismatch", stops: all, answer: refusal{403, "AuthorizationSourceIPMismatch", denied + " using this source IP.", ""}, check: "list", code: "AuthorizationSourceIPMismatch", fix: "sip"},
		{name: "Firewall", stops: all, answer: refusal{403, "AuthorizationFailure", denied + ".", ""}, check: "list", code: "AuthorizationFailure", fix: "az storage account network-rule add"},
		{name: "KeysForbidden", method: tasks.AuthAccountKey, stops: all, answer: refusal{403, "KeyBasedAuthenticationNotPermitted", "Key based authentication is not permitted on this storage account.", ""}, check: "list", code: "KeyBasedAuthenticationNotPermitted", fix: "--allow-shared-key-access"},
		{name: "AccountDisabled", stops: all, answer: refusal{403, "AccountIsDisabled", "The specified account is disabled.", ""}, check: "list", code: "AccountIsDisabled", fix: "account is disabled"},
		{name: "NoContainer", stops: all, answer: refusal{404, "ContainerNotFound", "The specified container does not exist.", ""}, check: "list", code: "ContainerNotFound", fix: "bucket"},
		{name: "BadName", stops: all, answer: refusal{400, "InvalidResourceName", "The specified resource name contains invalid characters.", ""}, check: "list", code: "InvalidResourceName", fix: "bucket"},
		{name: "Archived", stops: reads, answer: refusal{409, "BlobArchived", "This operation is not permitted on an archived blob.", ""}, check: "read", code: "BlobArchived", fix: "az storage blob set-tier"},
		{name: "CustomerKey", stops: reads, answer: refusal{409, "BlobUsesCustomerSpecifiedEncryption", "The blob is encrypted with customer specified encryption, but it was not provided in the request.", ""}, check: "read", code: "BlobUsesCustomerSpecifiedEncryption", fix: "key"},
		{name: "KeyVault", stops: reads, answer: refusal{403, "KeyVaultEncryptionKeyNotFound", "The key vault key is not found to unwrap the encryption key.", ""}, check: "read", code: "KeyVaultEncryptionKeyNotFound", fix: "Key Vault Crypto Service Encryption User"},
		{name: "AnonymousPrivate", method: tasks.AuthAnonymous, stops: all, answer: refusal{404, "ResourceNotFound", "The specified resource does not exist.", ""}, check: "list", code: "ResourceNotFound", fix: "private, missing, or misspelt"},
		{name: "AnonymousBlobLevel", method: tasks.AuthAnonymous, stops: lists, answer: refusal{404, "ResourceNotFound", "The specified resource does not exist.", ""}, check: "list", code: "BlobLevelAccess", fix: "--public-access container"},
		{name: "AnonymousForbidden", method: tasks.AuthAnonymous, stops: all, answer: refusal{409, "PublicAccessNotPermitted", "Public access is not permitted on this storage account.", ""}, check: "list", code: "PublicAccessNotPermitted", fix: "--allow-blob-public-access true"},
	}
}

// Each fault makes one check fail, with advice. The checks after it are
// skipped, and the container does not change.
func TestFaults(t *testing.T) {
	t.Parallel()
	server := servers.Azure(t)
	for _, f := range append(tokenFaults(), serviceFaults()...) {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			name := server.Container(t)
			if f.method == tasks.AuthAnonymous {
				server.Publish(t, name, "blob")
			}
			owner := open(t, tasks.AuthAccountKey, server.Endpoint, name, server.Key)
			fill(t, owner, "dir/k", "dir/l")
			before := contents(t, owner)
			checks := providers.Probe(t.Context(), f.open(t, server, name), tasks.Need{
				Read: true, Write: f.method != tasks.AuthAnonymous || f.name == "AnonymousWrite", Versions: true,
			})
			f.wantFailure(t, checks)
			if after := contents(t, owner); after != before {
				t.Errorf("the container held\n%s\nand holds\n%s", before, after)
			}
		})
	}
}

func (f fault) open(t *testing.T, server servers.AzureServer, name string) providers.Bucket {
	t.Helper()
	stops, answer := f.stops, f.answer.answer
	if stops == nil {
		stops, answer = all, func(http.ResponseWriter, *http.Request) { t.Error("a request was made") }
	}
	endpoint := gate(t, server, stops, answer)
	method, secret := tasks.AuthSAS, server.SAS(f.sas...)
	switch f.method {
	case tasks.AuthAnonymous:
		method = f.method
	case tasks.AuthAccountKey:
		method, secret = f.method, server.Key
	}
	if f.secret != nil {
		secret = f.secret(secret)
	}
	s, secrets := storage(t, method, endpoint, name, secret)
	s.Prefix = "dir/"
	return openStorage(t, s, secrets)
}

func (f fault) wantFailure(t *testing.T, checks []tasks.Check) {
	t.Helper()
	failed := false
	for _, c := range checks {
		switch {
		case failed && c.Status != tasks.CheckSkipped:
			t.Errorf("after the failure: %+v", c)
		case c.Status == tasks.CheckFail:
			failed = true
			if c.ID != f.check || c.Code != f.code || !strings.Contains(c.Fix, f.fix) || c.Evidence == "" {
				t.Errorf("got %+v, want %s to fail with %s and %q", c, f.check, f.code, f.fix)
			}
		}
	}
	if !failed {
		t.Errorf("nothing failed: %+v", checks)
	}
}

func fill(t testing.TB, b providers.Bucket, keys ...string) {
	t.Helper()
	for _, key := range keys {
		if _, err := b.Put(t.Context(), key, strings.NewReader("at "+strings.TrimSuffix(key, "empty")), providers.WriteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}

// contents returns every key with its ETag and content.
func contents(t testing.TB, b providers.Bucket) string {
	t.Helper()
	var text strings.Builder
	for o, err := range b.List(t.Context(), providers.ListOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		r, err := b.Open(t.Context(), o.Key, providers.ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Close()
		text.WriteString(o.Key + " " + o.ETag + " " + string(data) + "\n")
	}
	return text.String()
}
