package outcome

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/guard"
	"github.com/stevedore-jobs/stevedore/tasks/payloadsize"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/setting"
)

func TestFailure(t *testing.T) {
	t.Parallel()
	w := Wording{
		SettingName: func(id setting.ID) string { return strings.ToUpper(string(id)) },
		Limits:      queue.Limits{Bytes: 19 << 20, Objects: 7},
	}
	ofShard := tasks.Failure{Kind: "denied", Code: "AccessDenied", Message: "no", Fix: "Grant it."}
	blocked := &providers.Error{
		Op:   "get",
		Kind: providers.Blocked,
		Fix:  "Add it to " + setting.EgressAllow.String() + ".",
	}
	for _, c := range []struct {
		name                    string
		err                     error
		kind, code, fix, notFix string
	}{
		{"a shard's failure", &ShardFailureError{Failure: ofShard},
			"denied", "AccessDenied", "Grant it.", ""},
		{"a bucket's error", fmt.Errorf("wrapped: %w", blocked),
			"blocked", "", "Add it to EGRESS-ALLOW.", "the setting"},
		{"an invalid payload", &tasks.InvalidError{JobKind: "k"},
			"invalid", "", "Correct the payload.", ""},
		{"a timeout", ErrTimeout, "timeout", "", "Run more workers", ""},
		{"a deadline", ErrDeadline, "timeout", "", "Give the job more time", ""},
		{"a panic", guard.ErrPanic, "internal", "", "defect", ""},
		{"over the budget in Redis", queue.ErrBudget,
			"invalid", "RedisBudgetExceeded", "raise REDIS-BUDGET on", "the setting"},
		{"will exceed it", &BudgetError{Estimate: 38 << 20},
			"invalid", "RedisBudgetExceeded", "raise REDIS-BUDGET on", "the setting"},
		{"too many objects", queue.ErrObjects,
			"invalid", "TooManyObjects", "raise JOB-OBJECTS on", "the setting"},
		{"too large a payload", &payloadsize.Error{Size: 9, Limit: 8},
			"invalid", "PayloadTooLarge", "raise PAYLOAD-LIMIT on", "the setting"},
		{"an unknown error", errors.New("?"), "unavailable", "", "", ""},
	} {
		f := w.Failure(c.err)
		if f.Kind != c.kind || f.Code != c.code || f.Message == "" ||
			!strings.Contains(f.Fix, c.fix) || c.notFix != "" && strings.Contains(f.Fix, c.notFix) {
			t.Errorf("%s: %+v", c.name, f)
		}
	}
	if f := w.Failure(errors.New(strings.Repeat("é", 9000))); len(f.Message) > 5000 || !strings.HasSuffix(f.Message, "é…") {
		t.Errorf("a long error has %d bytes: ...%s", len(f.Message), f.Message[len(f.Message)-9:])
	}
	if f := w.Failure(&BudgetError{Estimate: 38 << 20}); !strings.Contains(f.Message, "38 MB") ||
		!strings.Contains(f.Message, "19 MB are allowed") {
		t.Errorf("the sizes are missing: %s", f.Message)
	}
}

// What looks like a secret leaves the worker in no text, and the
// original error can still be found.
func TestTextsAreRedacted(t *testing.T) {
	t.Parallel()
	const secret = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY12"
	cause := errors.New("get https://x/?X-Amz-Signature=" + secret)
	var w Wording
	for name, text := range map[string]string{
		"text":    w.Text(cause.Error()),
		"error":   w.Error(cause).Error(),
		"failure": w.Failure(cause).Message,
	} {
		if strings.Contains(text, secret) {
			t.Errorf("%s shows the secret: %s", name, text)
		}
	}
	if !errors.Is(w.Error(cause), cause) {
		t.Error("the cause is lost")
	}
	if w.Error(nil) != nil {
		t.Error("no error became one")
	}
}

// A result may hold checks, whose advice names settings. Its other
// texts may be keys, which stay as they are.
func TestResultNamesSettings(t *testing.T) {
	t.Parallel()
	const key = "the setting egress-allow/manifest.jsonl"
	w := Wording{SettingName: func(setting.ID) string { return `"EGRESS"` }}
	original := tasks.VerifyConnectionResult{Verdict: key, Checks: []tasks.Check{{
		ID: "egress", Evidence: "the setting egress-allow can allow it", Fix: "Add it to the setting egress-allow.",
	}}}
	for _, c := range []struct {
		result tasks.Result
		want   string
	}{
		{original, `{"ok":false,"verdict":"the setting egress-allow/manifest.jsonl","checks":[{"id":"egress","status":"",` +
			`"evidence":"\"EGRESS\" can allow it","fix":"Add it to \"EGRESS\"."}]}`},
		{tasks.GenerateThumbnailsResult{Index: key}, `{"index":"` + key + `","written":0,"unchanged":0,"skipped":0,"failed":0}`},
		{nil, "null"},
	} {
		if got, err := w.Result(c.result); string(got) != c.want || err != nil {
			t.Errorf("%s, %v, want %s", got, err, c.want)
		}
	}
	if original.Checks[0].Fix != "Add it to the setting egress-allow." {
		t.Errorf("the job's own result was changed: %+v", original)
	}
}

// A result that contains itself has no JSON. It gives an error.
func TestResultWithoutJSON(t *testing.T) {
	t.Parallel()
	w := Wording{SettingName: func(setting.ID) string { return "NAME" }}
	var r endless
	r.Self = &r
	if got, err := w.Result(r); err == nil {
		t.Errorf("no error, and the JSON %s", got)
	}
}

type endless struct{ Self *endless }

func (endless) Kind() string    { return "endless" }
func (endless) Summary() string { return "" }
