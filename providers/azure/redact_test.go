package azure_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/azure"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// canary is a signature that no error may show. It has characters that
// URLs escape.
const canary = "ab+/CANARYCANARYCANARYCANARYCANARYCANARYCAN="

func canarySAS() string {
	return "sv=2021-12-02&ss=b&srt=co&sp=rwl&se=2035-01-01T00:00:00Z&sig=" + url.QueryEscape(canary)
}

// wantHidden checks that no part of the values shows a secret.
func wantHidden(t *testing.T, what string, values ...any) {
	t.Helper()
	for _, v := range values {
		text := fmt.Sprintf("%v %+v %#v", v, v, v)
		var e *providers.Error
		if err, ok := v.(error); ok && errors.As(err, &e) {
			text += fmt.Sprintf(" %+v %#v %v", *e, *e, e.Err) + e.Advice()
			for inner := e.Err; inner != nil; inner = errors.Unwrap(inner) {
				text += inner.Error()
			}
		}
		if strings.Contains(text, "CANARY") {
			t.Errorf("%s: the secret shows: %s", what, text)
		}
	}
}

func TestErrorsHideSAS(t *testing.T) {
	t.Parallel()
	echo := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Ms-Request-Id", r.URL.RawQuery)
			w.Header().Set("X-Ms-Error-Code", "AuthenticationFailed")
			w.Header().Set("Location", r.URL.String())
			w.WriteHeader(status)
			_, _ = io.WriteString(w, strings.NewReplacer("{url}", strings.ReplaceAll(r.URL.String(), "&", "&amp;"), "{sig}", r.URL.Query().Get("sig")).Replace(body))
		}
	}
	const asXML = "<Error><Code>AuthenticationFailed</Code><Message>you sent {url} with {sig}</Message><AuthenticationErrorDetail>Signature did not match. String to sign used was {sig} {url}</AuthenticationErrorDetail></Error>"
	const inCode = "<Error><Code>{sig}</Code><Message>{url}</Message></Error>"
	endpoints := map[string]string{
		"dial":    "http://127.0.0.1:1/devstoreaccount1",
		"resolve": "http://no-such-host.invalid/devstoreaccount1",
		"drop":    serve(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }),
	}
	for status, body := range map[int]string{403: asXML, 400: inCode, 301: asXML, 500: asXML, 200: "<EnumerationResults>{url}<", 404: inCode} {
		endpoints[fmt.Sprint("status ", status)] = serve(t, echo(status, body))
	}
	for what, endpoint := range endpoints {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			b := openOnce(t, endpoint, canarySAS())
			for op, err := range providertest.Operations(t.Context(), b) {
				if err == nil && !strings.HasSuffix(what, "200") {
					t.Errorf("%s did not fail", op)
				}
				wantHidden(t, what+" "+op, err)
			}
			wantHidden(t, what+" probe", providers.Probe(t.Context(), b, tasks.Need{Read: true, Write: true, Versions: true, KMS: true}))
		})
	}
}

// Errors of Open about a secret do not repeat it.
func TestErrorsHideUnusableSecrets(t *testing.T) {
	t.Parallel()
	const endpoint = "http://127.0.0.1:1/devstoreaccount1"
	for _, c := range []struct{ method, secret, code string }{
		{tasks.AuthSAS, "CANARY", "SecretNotUnderstood"},
		{tasks.AuthSAS, "sv=1&sig=CANARY;&se=2", "SASMalformed"},
		{tasks.AuthSAS, "sv=1&sig=CANARY%zz&se=2", "SASMalformed"},
		{tasks.AuthSAS, "sv=1&sig=CANARY\n&se=2", "SASMalformed"},
		{tasks.AuthSAS, "https://other.example/c?" + canarySAS(), "SASURLDiffers"},
		{tasks.AuthSAS, endpoint + "/another?" + canarySAS(), "SASURLDiffers"},
		{tasks.AuthSAS, "https://user:CANARY@other.example/c?" + canarySAS(), "SASURLDiffers"},
		{tasks.AuthSAS, "https://%zz/c?" + canarySAS(), "SecretNotUnderstood"},
		{tasks.AuthAccountKey, "CANARY", "SecretNotUnderstood"},
		{tasks.AuthConnectionString, "AccountName=a;AccountName=CANARY", "ConnectionStringInvalid"},
		{tasks.AuthConnectionString, "AccountName=devstoreaccount1;AccountKey=CANARY", "AccountKeyInvalid"},
		{tasks.AuthConnectionString, "BlobEndpoint=http://u:CANARY@h;SharedAccessSignature=" + canarySAS(), "ConnectionStringInvalid"},
		{tasks.AuthConnectionString, "BlobEndpoint=" + endpoint + ";AccountName=other;AccountKey=CANARY", "AccountDiffers"},
		{tasks.AuthConnectionString, "BlobEndpoint=http://127.0.0.1:2/devstoreaccount1;SharedAccessSignature=" + canarySAS(), "EndpointDiffers"},
		{tasks.AuthConnectionString, "BlobEndpoint=" + endpoint + ";SharedAccessSignature=CANARY;", ""},
	} {
		s, secrets := storage(t, c.method, endpoint, "c", c.secret)
		b, err := (&azure.Opener{Client: guarded(t)}).Open(t.Context(), s, secrets)
		var e *providers.Error
		if c.code != "" && (!errors.As(err, &e) || e.Code != c.code || e.Kind != providers.Invalid || e.Fix == "") {
			t.Errorf("%s of %d characters: got %v, want %s", c.method, len(c.secret), err, c.code)
		}
		wantHidden(t, c.method, err)
		if b != nil {
			wantHidden(t, c.method, providers.Probe(t.Context(), b, tasks.Need{Read: true}))
		}
	}
}
