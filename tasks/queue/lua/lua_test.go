package lua

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/schema"
)

// file is one Lua file.
type file struct {
	path, text, code string // code is the text without comments
	header
}

func allFiles(t *testing.T) (all []file) {
	t.Helper()
	for _, pattern := range []string{"*.lua", "shared/*.lua"} {
		paths, err := fs.Glob(files, pattern)
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, p := range paths {
			text, err := files.ReadFile(p)
			if err != nil {
				t.Fatal(err)
			}
			code := regexp.MustCompile(`(?m)^\s*--.*\n`).ReplaceAllString(string(text), "")
			all = append(all, file{p, string(text), code, parseHeader(string(text))})
		}
	}
	return all
}

func (f file) isShared() bool { return strings.HasPrefix(f.path, "shared/") }

// Every file is loaded by name, every name has a file.
func TestEveryScriptIsLoaded(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("lua.go")
	if err != nil {
		t.Fatal(err)
	}
	var loaded, there []string
	for _, m := range regexp.MustCompile(`= load\("(\w+)"\)`).FindAllStringSubmatch(string(source), -1) {
		loaded = append(loaded, m[1]+".lua")
		if s := load(m[1]); s.err != nil {
			t.Errorf("%s: %v", m[1], s.err)
		}
	}
	used := map[string]bool{}
	for _, f := range allFiles(t) {
		if !f.isShared() {
			there = append(there, f.path)
		}
		for _, name := range f.uses {
			used["shared/"+name+".lua"] = true
		}
	}
	slices.Sort(loaded)
	if !slices.Equal(loaded, there) {
		t.Errorf("loaded are %q, there are %q", loaded, there)
	}
	for _, f := range allFiles(t) {
		if f.isShared() && !used[f.path] {
			t.Errorf("no script uses %s", f.path)
		}
	}
}

// The header of a script says the truth about its locals.
func TestHeadersMatchLocals(t *testing.T) {
	t.Parallel()
	locals := func(f file, from string) []string {
		m := regexp.MustCompile(`local ([\w\s,]+?) = unpack\(` + from + `[,)]`).FindStringSubmatch(f.code)
		if m == nil {
			return nil
		}
		return splitNames(strings.ReplaceAll(m[1], "\n", " "))
	}
	for _, f := range allFiles(t) {
		if !strings.HasPrefix(f.text, "-- "+path.Base(f.path)) {
			t.Errorf("%s does not begin with its name and what it does", f.path)
		}
		if f.isShared() {
			if len(f.keys)+len(f.args) > 0 || strings.Contains(f.code, "KEYS") || strings.Contains(f.code, "ARGV") {
				t.Errorf("%s: a shared file uses KEYS or ARGV itself", f.path)
			}
			continue
		}
		if !strings.Contains(f.text, "\n-- Returns ") {
			t.Errorf("%s: the header does not say what the script returns", f.path)
		}
		if got := locals(f, "KEYS"); !slices.Equal(got, f.keys) {
			t.Errorf("%s: the header has the KEYS %q, the locals are %q", f.path, f.keys, got)
		}
		fixed := f.args
		if n := len(fixed); n > 0 && strings.HasSuffix(fixed[n-1], more) {
			fixed = fixed[:n-1]
			checkList(t, f, n)
		}
		if got := locals(f, "ARGV"); !slices.Equal(got, fixed) {
			t.Errorf("%s: the header has the ARGV %q, the locals are %q", f.path, f.args, got)
		}
		checkUses(t, f)
	}
}

// checkList checks that the loop over a list begins with its
// first element.
func checkList(t *testing.T, f file, first int) {
	t.Helper()
	if !strings.Contains(f.code, fmt.Sprintf("for i = %d, #ARGV", first)) {
		t.Errorf("%s: no loop over the list from %d on", f.path, first)
	}
	if first > 1 && !strings.Contains(f.code, fmt.Sprintf("unpack(ARGV, 1, %d)", first-1)) {
		t.Errorf("%s: the locals do not end before the list", f.path)
	}
	if regexp.MustCompile(`ARGV\[\d`).MatchString(f.code) {
		t.Errorf("%s: an argument without a name", f.path)
	}
}

// checkUses checks that a script uses all shared files that it
// names. Names that it forgets are no functions, so its calls
// would fail.
func checkUses(t *testing.T, f file) {
	t.Helper()
	for _, name := range f.uses {
		text, err := files.ReadFile("shared/" + name + ".lua")
		if err != nil {
			t.Errorf("%s: %v", f.path, err)
			continue
		}
		for _, m := range regexp.MustCompile(`(?m)^local function (\w+)\(`).FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(f.code, m[1]+"(") {
				text = nil
			}
		}
		if text != nil && !usedByOthers(f, name) {
			t.Errorf("%s: it does not use %s", f.path, name)
		}
	}
}

func usedByOthers(f file, name string) bool {
	return slices.ContainsFunc(f.uses, func(other string) bool {
		text, err := files.ReadFile("shared/" + other + ".lua")
		return err == nil && slices.Contains(parseHeader(string(text)).uses, name)
	})
}

// Every field that a script names is in the schema. Fields stand
// in single quotes; in double quotes are commands, states and
// answers.
func TestFieldsAreInTheSchema(t *testing.T) {
	t.Parallel()
	fields := map[string]bool{}
	for _, group := range schema.Groups() {
		for _, f := range group {
			fields[f] = true
		}
	}
	for _, f := range schema.RunFields() {
		fields[f] = true
	}
	words := map[string]bool{
		"": true, "0": true, "1": true, "-1": true, " ": true, "|": true, ":": true, " 0 0 0 0": true, "%d": true,
		"^%d+": true, "^(%d+) (%d+) (%d+)$": true, "-inf": true, "LIMIT": true,
		"FENCED": true, "NOJOB": true, "NOTHING": true, "TRUNCATED": true, "OUTBOX": true, "STATE ": true,
		"ORDER shard ": true, " was planned when there were ": true,
		"superseded": true, "unknown": true, "round": true, "other": true, // answers, and the last of the codes
	}
	for _, s := range []tasks.State{
		tasks.StateQueued, tasks.StatePlanning, tasks.StateRunning, tasks.StateFinishing,
		tasks.StateSucceeded, tasks.StateFailed, tasks.StateCancelled,
	} {
		words[string(s)] = true
	}

	command := regexp.MustCompile(`redis\.call\("[A-Z]+"`)
	literal := regexp.MustCompile(`'[^']*'|"[^"]*"`)
	named := map[string]bool{}
	for _, f := range allFiles(t) {
		for _, quoted := range literal.FindAllString(command.ReplaceAllString(f.code, ""), -1) {
			text := quoted[1 : len(quoted)-1]
			if quoted[0] == '"' && !words[text] {
				t.Errorf("%s: %s is no state and no answer; is it a field, or a misspelt state?", f.path, quoted)
			}
			if quoted[0] == '\'' && !fields[text] {
				t.Errorf("%s: the schema has no field %s", f.path, quoted)
			}
			if quoted[0] == '\'' {
				named[text] = true
			}
		}
	}
	// What only Go names: the failure and the prefix come as
	// arguments.
	named[schema.Failure], named[schema.Tally] = true, true
	for f := range fields {
		if !named[f] {
			t.Errorf("no script uses the field %q", f)
		}
	}
}

func TestRunChecksItsArguments(t *testing.T) {
	t.Parallel()
	for name, args := range map[string]Args{
		"missing":          {"round": 1},
		"unknown":          {"round": 1, "fields": List{"x"}, "other": 2},
		"list for a value": {"round": List{1}, "fields": List{"x"}},
		"value for a list": {"round": 1, "fields": "x"},
	} {
		if _, _, err := BeginRetry.bind("j", args); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	keys, values, err := BeginRetry.bind("j", Args{"fields": List{"x", "y"}, "round": 1})
	wantKeys := []string{"stevedore:{j}:job", "stevedore:{j}:errors", "stevedore:{j}:retry"}
	if err != nil || !slices.Equal(keys, wantKeys) || fmt.Sprint(values) != "[1 x y]" {
		t.Errorf("%q, %v, %v", keys, values, err)
	}
}
