package fastread_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/stevedore-jobs/stevedore/providers/providertest"
	"github.com/stevedore-jobs/stevedore/providers/s3/client"
	"github.com/stevedore-jobs/stevedore/providers/s3/fastread"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// journal answers every request with an object, and keeps the last one.
type journal struct{ last *http.Request }

func (j *journal) RoundTrip(r *http.Request) (*http.Response, error) {
	j.last = r
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Etag": {`"e"`}}, Body: http.NoBody, Request: r,
	}, nil
}

func (j *journal) client() *http.Client { return &http.Client{Transport: j} }

// text returns all that a server sees of the last request. The SDK's
// own headers are left out.
func (j *journal) text() string {
	r := j.last
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s %q\n", r.Method, r.URL, r.URL.RequestURI(), r.Host)
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		if !strings.HasPrefix(name, "Amz-Sdk-") {
			fmt.Fprintf(&b, "%s: %q\n", name, r.Header[name])
		}
	}
	return b.String()
}

// readBoth makes the same read with a Reader and with the SDK, and
// returns both requests. It does so in the same second, so that the
// signatures must be equal.
func readBoth(
	t *testing.T, c *client.Client, j *journal, in fastread.Request,
) (fast, own string, isFast bool) {
	t.Helper()
	for range 100 {
		if answer, err := client.Read(t.Context(), c, in); err != nil {
			t.Fatal(err)
		} else {
			_ = answer.Body.Close()
		}
		fast, isFast = j.text(), j.last.Header.Get("Amz-Sdk-Request") == ""
		signed := j.last.Header.Get("X-Amz-Date")
		get := &sdk.GetObjectInput{Bucket: c.Bucket(), Key: aws.String(in.Key)}
		if in.Range != "" {
			get.Range = aws.String(in.Range)
		}
		if in.IfMatch != "" {
			get.IfMatch = aws.String(in.IfMatch)
		}
		if _, err := c.GetObject(t.Context(), get); err != nil {
			t.Fatal(err)
		}
		if j.last.Header.Get("Amz-Sdk-Request") == "" {
			t.Fatal("GetObject does not use the SDK")
		}
		own = j.text()
		if j.last.Header.Get("X-Amz-Date") == signed {
			return fast, own, isFast
		}
	}
	t.Fatal("no two requests in the same second")
	return "", "", false
}

// keys makes an access key. Its token may be empty.
func keys(token string) aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider("AKIA", "top-secret", token)
}

// newClient makes a client with an access key, whose token may be empty.
func newClient(s tasks.Storage, token string, via *http.Client) *client.Client {
	config := client.Config{HTTP: via, Attempts: 1, Credentials: keys(token)}
	if s.Auth.Method == tasks.AuthAnonymous {
		config.Credentials = aws.AnonymousCredentials{}
	}
	return client.New(s, config)
}

// Whatever a storage says, a fast read sends what the SDK would send,
// signature included.
func TestReader_SendsWhatTheSDKSends(t *testing.T) {
	t.Parallel()
	const own = "https://storage.example:9000"
	const account = "123456789012"
	for name, c := range map[string]struct {
		s     tasks.Storage
		token string
	}{
		"AWS":              {tasks.Storage{Bucket: "pictures", Region: "eu-west-1"}, ""},
		"Session":          {tasks.Storage{Bucket: "pictures", Region: "eu-west-1"}, "a/token+=="},
		"ByPath":           {tasks.Storage{Bucket: "pictures", Region: "eu-west-1", Addressing: "path"}, ""},
		"Dots":             {tasks.Storage{Bucket: "my.pictures", Region: "eu-west-1"}, ""},
		"China":            {tasks.Storage{Bucket: "pictures", Region: "cn-north-1"}, ""},
		"Government":       {tasks.Storage{Bucket: "pictures", Region: "us-gov-west-1"}, ""},
		"AccessPoint":      {tasks.Storage{Bucket: "arn:aws:s3:us-west-2:" + account + ":accesspoint/photos", Region: "eu-west-1"}, ""},
		"Alias":            {tasks.Storage{Bucket: "photos-hrzrlukc5m36-s3alias", Region: "us-west-2"}, ""},
		"Lambda":           {tasks.Storage{Bucket: "arn:aws:s3-object-lambda:us-west-2:" + account + ":accesspoint/photos"}, ""},
		"Payer":            {tasks.Storage{Bucket: "pictures", Region: "eu-west-1", RequesterPays: true}, ""},
		"Owner":            {tasks.Storage{Bucket: "pictures", Region: "eu-west-1", ExpectedOwner: account}, "token"},
		"Endpoint":         {tasks.Storage{Bucket: "b", Endpoint: own}, ""},
		"Virtual":          {tasks.Storage{Bucket: "pictures", Endpoint: own, Addressing: "virtual"}, ""},
		"EndpointPath":     {tasks.Storage{Bucket: "b", Endpoint: own + "/s3/v1"}, ""},
		"EndpointSlash":    {tasks.Storage{Bucket: "b", Endpoint: own + "/s3/"}, ""},
		"EndpointEncoded":  {tasks.Storage{Bucket: "b", Endpoint: own + "/a%20b"}, ""},
		"DefaultPort":      {tasks.Storage{Bucket: "b", Endpoint: "https://storage.example:443"}, ""},
		"DefaultPlainPort": {tasks.Storage{Bucket: "b", Endpoint: "http://storage.example:80"}, ""},
		"IPv6":             {tasks.Storage{Bucket: "b", Endpoint: "http://[::1]:9000"}, ""},
		"Anonymous":        {tasks.Storage{Bucket: "b", Endpoint: own, Auth: tasks.Auth{Method: tasks.AuthAnonymous}}, ""},
		"AnonymousPayer":   {tasks.Storage{Bucket: "pictures", Region: "eu-west-1", RequesterPays: true, Auth: tasks.Auth{Method: tasks.AuthAnonymous}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := &journal{}
			cl := newClient(c.s, c.token, j.client())
			for _, in := range []fastread.Request{
				{Key: "a/b.jpg"},
				{Key: "a/b.jpg", Range: "bytes=0-16383"},
				{Key: "a/b c.jpg", Range: "bytes=5-", IfMatch: `"e"`},
			} {
				fast, own, isFast := readBoth(t, cl, j, in)
				if fast != own || !isFast {
					t.Errorf("%+v: sent (fast: %v)\n%sthe SDK\n%s", in, isFast, fast, own)
				}
			}
		})
	}
}

// awkwardKeys are those that clients encode wrongly.
func awkwardKeys() []string {
	keys := []string{
		"/", "//", "a//b", "/a", "a/", "./a", "a/./b", "a/../b", "..", ".", "a+b", "a b", " a", "a%20b", "%", "%zz",
		"%2F", "a?b", "a#b", "a&b=c", "a;b", "a:b", "a@b", "a!b", "a*b", "a'b", `a"b`, "a(b)", "a[b]", "a{Key+}b",
		"{Key+}", "a|b", `a\b`, "a^b", "a`b", "a~b", "a,b", "a$b", "a<b>", "画像/写真.jpg", "e\u0301", "é", "😀",
		"a\tb", "a\nb", "\x01", "\x7f", "a\xffb", "\u202e", "key", "a/key", strings.Repeat("ö", 512),
	}
	for c := range 256 {
		keys = append(keys, "c"+string([]byte{byte(c)})+"/")
	}
	return keys
}

func TestReader_EscapesKeysAsTheSDKDoes(t *testing.T) {
	t.Parallel()
	for _, endpoint := range []string{"", "https://storage.example/s3"} {
		j := &journal{}
		c := newClient(tasks.Storage{Bucket: "pictures", Region: "eu-west-1", Endpoint: endpoint}, "", j.client())
		for _, key := range awkwardKeys() {
			fast, own, isFast := readBoth(t, c, j, fastread.Request{Key: key})
			if fast != own || !isFast {
				t.Errorf("%q: sent (fast: %v)\n%sthe SDK\n%s", key, isFast, fast, own)
			}
		}
	}
}

func FuzzEscape(f *testing.F) {
	for _, key := range awkwardKeys() {
		f.Add(key)
	}
	j := &journal{}
	c := newClient(tasks.Storage{Bucket: "b", Endpoint: "https://storage.example"}, "", j.client())
	f.Fuzz(func(t *testing.T, key string) {
		if key == "" {
			return
		}
		fast, own, _ := readBoth(t, c, j, fastread.Request{Key: key})
		if fast != own {
			t.Errorf("sent\n%sthe SDK\n%s", fast, own)
		}
	})
}

// These buckets need signatures that only the SDK makes.
func TestReader_LeavesOtherSignaturesToTheSDK(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]tasks.Storage{
		"SeveralRegions": {Bucket: "arn:aws:s3::123456789012:accesspoint/mfzwi.mrap"},
		"Directory":      {Bucket: "photos--euw1-az1--x-s3", Region: "eu-west-1"},
	} {
		var reads []http.Header
		handler := func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Has("session") {
				_, _ = io.WriteString(w, `<CreateSessionResult><Credentials><AccessKeyId>A</AccessKeyId>`+
					`<SecretAccessKey>s</SecretAccessKey><SessionToken>directory</SessionToken>`+
					`<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></CreateSessionResult>`)
				return
			}
			reads = append(reads, r.Header)
			w.Header().Set("ETag", `"e"`)
		}
		c := newClient(s, "", providertest.Client(http.HandlerFunc(handler)))
		for range 2 {
			answer, err := client.Read(t.Context(), c, fastread.Request{Key: "k"})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			_ = answer.Body.Close()
		}
		if len(reads) != 2 {
			t.Errorf("%s: %d reads", name, len(reads))
		}
		for _, h := range reads {
			if h.Get("Amz-Sdk-Request") == "" || !strings.HasPrefix(h.Get("Authorization"), "AWS4-ECDSA-P256") &&
				h.Get("X-Amz-S3session-Token") != "directory" {
				t.Errorf("%s: a request with %v", name, h)
			}
		}
	}
}
