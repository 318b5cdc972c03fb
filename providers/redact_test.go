package providers_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
)

const canary = "CaNaRy0123456789/+abc=="

func TestRedactPatterns(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"nothing":             {"get a/1.jpg: denied: AccessDenied: not you", "get a/1.jpg: denied: AccessDenied: not you"},
		"a SAS URL":           {"Get https://a.blob/c?sv=2022&sig=Ab%2Fc%3D&se=1: refused", "Get https://a.blob/c?sv=2022&sig=[redacted]&se=1: refused"},
		"first in the query":  {"?sig=abc", "?sig=[redacted]"},
		"a word that ends so": {"desig=abc", "desig=abc"},
		"no value":            {"the Signature did not match", "the Signature did not match"},
		"presigned": {
			"https://b/k?X-Amz-Credential=AKIA%2F2026&X-Amz-Security-Token=Fw%2B%3D&X-Amz-Signature=0aF&x-id=GetObject",
			"https://b/k?X-Amz-Credential=[redacted]&X-Amz-Security-Token=[redacted]&X-Amz-Signature=[redacted]&x-id=GetObject",
		},
		"encoded":               {"redirect=https%3A%2F%2Fb%2Fk%3FX-Amz-Signature%3D0aF%252B%26x%3D1", "redirect=https%3A%2F%2Fb%2Fk%3FX-Amz-Signature%3D[redacted]%26x%3D1"},
		"encoded twice":         {"u=%253Fsig%253DAb%25252F%2526se%253D1", "u=%253Fsig%253D[redacted]"},
		"Authorization":         {"sent Authorization: AWS4-HMAC-SHA256 Credential=AKIA/x, SignedHeaders=host, Signature=0aF\nnext", "sent Authorization: [redacted]\nnext"},
		"a header map":          {"map[Authorization:[Bearer abc] Host:[h]]", "map[Authorization:[redacted] Host:[h]]"},
		"Authorization in JSON": {`{"Authorization": "Bearer abc", "a": 1}`, `{"Authorization": [redacted], "a": 1}`},
		"a header's name":       {`invalid header field value for "Authorization"`, `invalid header field value for "Authorization"`},
		"an Azure code":         {"403 AuthorizationFailure: no", "403 AuthorizationFailure: no"},
		"bearer":                {"with bearer eyJhbGciOiJSUzI1NiJ9.e30.x failed", "with bearer [redacted] failed"},
		"signing parts":         {"Credential=AKIA/x, SignedHeaders=host, Signature=0aF", "Credential=[redacted], SignedHeaders=host, Signature=[redacted]"},
		"a token header":        {"X-Amz-Security-Token: Fw==", "X-Amz-Security-Token: [redacted]"},
		"connection string": {
			"DefaultEndpointsProtocol=https;AccountName=a;AccountKey=Ab/c+d==;EndpointSuffix=core",
			"DefaultEndpointsProtocol=https;AccountName=a;AccountKey=[redacted];EndpointSuffix=core",
		},
		"SAS in one":        {"BlobEndpoint=https://a;SharedAccessSignature=sv=1&ss=b&sig=Ab;x=1", "BlobEndpoint=https://a;SharedAccessSignature=[redacted];x=1"},
		"PEM":               {"key -----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY----- end", "key [redacted] end"},
		"PEM in JSON":       {`{"private_key":"-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----\n","a":1}`, `{"private_key":"[redacted]\n","a":1}`},
		"PEM cut off":       {"-----BEGIN RSA PRIVATE KEY-----\nMII", "[redacted]"},
		"JSON":              {`{"client_secret":"abc","client_id":"i"}`, `{"client_secret":"[redacted]","client_id":"i"}`},
		"JSON in JSON":      {`"{\"access_token\": \"abc\"}"`, `"{\"access_token\": \"[redacted]\"}"`},
		"userinfo":          {"dial redis://user:pa@ss@host:6379/0", "dial redis://[redacted]@host:6379/0"},
		"an at in a path":   {"https://proxy.example/x/@v/list", "https://proxy.example/x/@v/list"},
		"userinfo encoded":  {"u=https%3A%2F%2Fuser%3Apass%40host", "u=https%3A%2F%2F[redacted]@host"},
		"a path encoded":    {"u=https%3A%2F%2Fhost%2Fa%40b", "u=https%3A%2F%2Fhost%2Fa%40b"},
		"a payload's fault": {"payload: storage.auth.secret_access_key: empty", "payload: storage.auth.secret_access_key: empty"},
	} {
		got := providers.RedactPatterns(c.text)
		if got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, c.want)
		}
		if again := providers.RedactPatterns(got); again != got {
			t.Errorf("%s: the second time: %s", name, again)
		}
	}
}

// leaks returns the forms in which libraries and servers were seen to
// repeat secrets.
func leaks(secret string) map[string]string {
	query := url.QueryEscape(secret)
	inJSON, _ := json.Marshal(map[string]string{"private_key": secret})
	return map[string]string{
		"sas":        "Put \"https://a.example/c/b?se=2026&sig=" + query + "&sp=r\": EOF",
		"sas last":   "https://a.example/c/b?sig=" + query,
		"encoded":    url.QueryEscape("https://a.example/c/b?sig=" + query + "&sp=r"),
		"token":      "x-amz-security-token: " + secret,
		"basic":      "Proxy-Authorization: Basic " + secret,
		"account":    "AccountName=a;AccountKey=" + secret + ";x=y",
		"pem":        "-----BEGIN EC PRIVATE KEY-----\n" + secret + "\n-----END EC PRIVATE KEY-----",
		"json":       string(inJSON),
		"url":        "https://user:" + query + "@host/path",
		"access key": "aws_secret_access_key = " + secret,
	}
}

func TestRedactPatterns_Leaks(t *testing.T) {
	t.Parallel()
	for form, text := range leaks(canary) {
		if got := providers.RedactPatterns(text); strings.Contains(got, "CaNaRy") || strings.Contains(got, "abc") {
			t.Errorf("%s: %s", form, got)
		}
	}
}

// A secret is hidden, whatever text is around it.
func FuzzRedactPatterns(f *testing.F) {
	f.Add("get a: ", "\nnext")
	f.Add(`{"sig":"`, `"}`)
	f.Add("-----BEGIN ", "%40")
	f.Fuzz(func(t *testing.T, before, after string) {
		for form, text := range leaks(canary) {
			if got := providers.RedactPatterns(before + " " + text + " " + after); strings.Contains(got, "CaNaRy") {
				t.Errorf("%s: %q", form, got)
			}
		}
	})
}
