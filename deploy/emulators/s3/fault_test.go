package s3

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func TestParseCall(t *testing.T) {
	t.Parallel()
	for request, want := range map[string]string{
		"GET /b?list-type=2":         "list b ",
		"GET /b?versions":            "versions b ",
		"GET /b?location":            "other b ",
		"PUT /b":                     "other b ",
		"GET /b/dir/a.jpg":           "get b dir/a.jpg",
		"HEAD /b/a":                  "stat b a",
		"PUT /b/a":                   "put b a",
		"DELETE /b/a":                "delete b a",
		"POST /b/a?uploads":          "create b a",
		"PUT /b/a?uploadId=1":        "part b a",
		"POST /b/a?uploadId=1":       "complete b a",
		"DELETE /b/a?uploadId=1":     "abort b a",
		"OPTIONS /b/a":               "other b a",
		"POST /b/a?select&type=2":    "other b a",
		"GET /b/a?versionId=3&x=%2F": "get b a",
	} {
		method, target, _ := strings.Cut(request, " ")
		c := parseCall(httptest.NewRequestWithContext(t.Context(), method, target, nil))
		if got := c.op + " " + c.bucket + " " + c.key; got != want {
			t.Errorf("%s: %q, want %q", request, got, want)
		}
	}
}

func TestParseCall_ReadsTheSignature(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/b/a", nil)
	if c := parseCall(r); c.accessKey != "" || c.region != "" {
		t.Errorf("anonymous request: %+v", c)
	}
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 "+
		"Credential=AKIA/20260102/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=0")
	if c := parseCall(r); c.accessKey != "AKIA" || c.region != "eu-west-1" {
		t.Errorf("signed request: %+v", c)
	}
}

func TestFault_Matches(t *testing.T) {
	t.Parallel()
	c := call{op: "get", bucket: "b", key: "a", accessKey: "AKIA", region: "eu-west-1"}
	for name, f := range map[string]struct {
		fault fault
		want  bool
	}{
		"bucket":       {fault{Name: "SlowDown", Bucket: "b"}, true},
		"other bucket": {fault{Name: "SlowDown", Bucket: "c"}, false},
		"key":          {fault{Name: "SlowDown", AccessKey: "AKIA"}, true},
		"other key":    {fault{Name: "SlowDown", Bucket: "b", AccessKey: "AKIB"}, false},
		"operation":    {fault{Name: "SlowDown", Bucket: "b", Op: "get"}, true},
		"other":        {fault{Name: "SlowDown", Bucket: "b", Op: "put"}, false},
		"redirect":     {fault{Name: "Redirect", Bucket: "b"}, true},
	} {
		if got := f.fault.matches(c); got != f.want {
			t.Errorf("%s: %v, want %v", name, got, f.want)
		}
	}
	c.region = "us-east-1"
	redirect := fault{Name: "Redirect", Bucket: "b"}
	if redirect.matches(c) {
		t.Error("a request to the right region is redirected")
	}
}

func TestFault_Count(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault fault
		want  string // one letter per request: y for the fault, n for success
	}{
		"always":       {fault{}, "yyyy"},
		"skips two":    {fault{Skip: 2}, "nnyy"},
		"happens once": {fault{Times: 1}, "ynnn"},
		"both":         {fault{Skip: 1, Times: 2}, "nyyn"},
	} {
		var got strings.Builder
		for range c.want {
			if c.fault.count() {
				got.WriteString("y")
			} else {
				got.WriteString("n")
			}
		}
		if got.String() != c.want {
			t.Errorf("%s: %s, want %s", name, got.String(), c.want)
		}
	}
}

func TestFault_Check(t *testing.T) {
	t.Parallel()
	for _, f := range []fault{
		{Name: "Unknown", Bucket: "b"},
		{Name: "SlowDown"}, // would happen to the requests of every test
	} {
		if err := f.check(); err == nil {
			t.Errorf("%+v is accepted", f)
		}
	}
	for _, name := range faultNames() {
		if err := (&fault{Name: name, AccessKey: "AKIA"}).check(); err != nil {
			t.Error(err)
		}
	}
}

// Every fault either answers itself or damages the answer of the
// server.
func TestFault_Answer(t *testing.T) {
	t.Parallel()
	damaging := map[string]bool{"SlowBody": true, "CutBody": true, "LostAnswer": true}
	for _, name := range faultNames() {
		a := (&fault{Name: name, Region: "eu-west-1"}).answer(call{op: "get", bucket: "b"})
		if (a == nil) != damaging[name] {
			t.Errorf("%s: answer %+v", name, a)
		}
	}
}
