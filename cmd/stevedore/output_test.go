package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/cli"
	"github.com/stevedore-jobs/stevedore/cmd/stevedore/demo/dataset"
	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
)

// statusIn reads what a command with --json has printed.
func statusIn(t *testing.T, out string) (s tasks.Status) {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(out))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&s); err != nil || dec.More() || s.ID == "" || s.State == "" {
		t.Fatalf("not one status: %v\n%s", err, out)
	}
	return s
}

func manifestIn(t *testing.T, out string) tasks.BuildManifestResult {
	t.Helper()
	r, err := producer.ResultAs[tasks.BuildManifestResult](statusIn(t, out))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func errorsIn(t *testing.T, lines string) (list []tasks.ObjectError) {
	t.Helper()
	for dec := json.NewDecoder(strings.NewReader(lines)); dec.More(); {
		var e tasks.ObjectError
		if err := dec.Decode(&e); err != nil {
			t.Fatal(err)
		}
		list = append(list, e)
	}
	return list
}

// manyCorrupt makes a directory with one good image and n that are not.
// They have long names of wide characters.
func manyCorrupt(t *testing.T, n int) string {
	t.Helper()
	dir := drawDataset(t)
	for i := range n {
		name := fmt.Sprintf("壊れた画像😀-%03d.jpg", i)
		if err := os.WriteFile(filepath.Join(dir, "scenes", name), []byte("no image"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// With --json all commands print the status, however the job ends.
func TestJSONIsTheStatus(t *testing.T) {
	t.Parallel()
	source := "file://" + drawDataset(t)
	out, errs := want(t.Context(), t, cli.ExitOK, nil, "run", "build-manifest", "--source", source, "--json")
	if s := statusIn(t, out); s.State != tasks.StateSucceeded || s.Progress.LeftOut() != 1 || s.Result == nil {
		t.Errorf("%+v", s)
	}
	if !strings.Contains(errs, "left out  "+dataset.CorruptKey+": corrupt-image") {
		t.Errorf("the error list is hidden:\n%s", errs)
	}
	out, _ = want(t.Context(), t, cli.ExitFailed, nil, "run", "build-manifest", "--source", "file:///no/such/directory", "--json")
	if s := statusIn(t, out); s.State != tasks.StateFailed || s.Failure == nil {
		t.Errorf("%+v", s)
	}

	environ := []string{redisURL(queuetest.Embedded(t))}
	out, _ = want(t.Context(), t, cli.ExitOK, environ, "enqueue", "build-manifest", "--source", source, "--id", "j", "--json")
	if s := statusIn(t, out); s.ID != "j" || s.State != tasks.StateQueued {
		t.Errorf("enqueue: %+v", s)
	}
	want(t.Context(), t, cli.ExitOK, environ, "cancel", "j")
	for command, exit := range map[string]cli.ExitCode{"wait": cli.ExitFailed, "status": cli.ExitOK} {
		out, _ := want(t.Context(), t, exit, environ, command, "j", "--json")
		if s := statusIn(t, out); s.State != tasks.StateCancelled {
			t.Errorf("%s: %+v", command, s)
		}
	}
}

// The screen shows the first lines of the error list, and how to get
// the others. A file gets all.
func TestErrorListOfARun(t *testing.T) {
	t.Parallel()
	dir := manyCorrupt(t, 30)
	run := []string{"run", "build-manifest", "--source", "file://" + dir + "/scenes", "--set", "max_failed=1"}
	_, errs := want(t.Context(), t, cli.ExitOK, nil, run...)
	if n := strings.Count(errs, "left out  "); n != 20 || !strings.Contains(errs, "and 11 more; for all of them:\n  run the command again with --errors FILE") {
		t.Errorf("%d lines:\n%s", n, errs)
	}
	file := filepath.Join(t.TempDir(), "errors.jsonl")
	_, errs = want(t.Context(), t, cli.ExitLeftOut, nil, append(run, "--errors", file, "--fail-on-errors")...)
	list, err := os.ReadFile(file)
	if err != nil || len(errorsIn(t, string(list))) != 31 || !strings.Contains(errs, "31 lines of the error list in "+file) || !strings.Contains(errs, "31 objects left out") {
		t.Errorf("%v\n%s\n%s", err, list, errs)
	}
	out, errs := want(t.Context(), t, cli.ExitOK, nil, append(run, "--errors")...)
	if len(errorsIn(t, out)) != 31 || !strings.Contains(errs, "31 left out") {
		t.Errorf("%s\n%s", out, errs)
	}
	for _, flags := range [][]string{{"--errors", "/no/such/directory/file"}, {"--errors", "-", "--json"}} {
		if out, errs := want(t.Context(), t, cli.ExitInvalid, nil, append(run, flags...)...); out != "" || !strings.Contains(errs, "--errors") {
			t.Errorf("%v: %s%s", flags, out, errs)
		}
	}
}

// A job of whose images too many fail writes nothing, and says why.
func TestTooManyFailed(t *testing.T) {
	t.Parallel()
	dir := manyCorrupt(t, 30)
	out, errs := want(t.Context(), t, cli.ExitFailed, nil, "run", "build-manifest", "--source", "file://"+dir+"/scenes", "--json")
	s := statusIn(t, out)
	if s.State != tasks.StateFailed || s.Failure.Code != "TooManyFailed" || s.Progress.Codes["corrupt-image"] != 31 {
		t.Errorf("%+v, %+v", s, s.Failure)
	}
	if !strings.Contains(s.Failure.Message, "31 of 44 images") || !strings.Contains(errs, "corrupt-image") {
		t.Errorf("%+v\n%s", s.Failure, errs)
	}
	if _, err := os.Stat(filepath.Join(dir, "scenes", "manifest.jsonl")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the manifest: %v", err)
	}
}

// The error list of a job on a queue goes to a file, too.
func TestErrorListOfAJob(t *testing.T) {
	t.Parallel()
	dir := manyCorrupt(t, 30)
	environ := []string{
		redisURL(queuetest.Embedded(t)), "STEVEDORE_FILE_ROOTS=" + dir, "STEVEDORE_HTTP_ADDR=", "STEVEDORE_LOG_LEVEL=error",
	}
	ctx, stop := startWorker(t, environ)
	defer stop()
	want(ctx, t, cli.ExitOK, environ, "enqueue", "build-manifest", "--id", "j", "--source", "file://"+dir+"/scenes", "--set", "max_failed=1")
	_, errs := want(ctx, t, cli.ExitLeftOut, environ, "wait", "j", "--fail-on-errors")
	if !strings.Contains(errs, "and 11 more; for all of them:\n  stevedore status j --errors") {
		t.Errorf("%s", errs)
	}
	file := filepath.Join(t.TempDir(), "errors.jsonl")
	for _, args := range [][]string{{"wait", "j", "--errors", file}, {"status", "j", "--errors=" + file}, {"retry", "j", "--wait", "--errors", file, "--json"}} {
		want(ctx, t, cli.ExitOK, environ, args...)
		list, err := os.ReadFile(file)
		if err != nil || len(errorsIn(t, string(list))) != 31 {
			t.Errorf("%v: %v\n%s", args, err, list)
		}
		if err := os.Remove(file); err != nil {
			t.Error(err)
		}
	}
	want(ctx, t, cli.ExitInvalid, environ, "retry", "j", "--fail-on-errors")
}

// Images with one shape that cannot be exported are in the data set:
// they have warnings, and are not left out.
func TestWarningsOfAnExport(t *testing.T) {
	t.Parallel()
	dir := drawDataset(t)
	path := filepath.Join(dir, filepath.FromSlash(dataset.AnnotationsKey))
	document, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	document = bytes.ReplaceAll(document, []byte("</image>"), []byte("<polyline label=\"car\" points=\"1,1;2,2\"></polyline></image>"))
	if err := os.WriteFile(path, document, 0o600); err != nil {
		t.Fatal(err)
	}
	out, errs := want(t.Context(), t, cli.ExitOK, nil, "run", "export-annotations", "--source", "file://"+dir, "--fail-on-errors",
		"--set", "annotations.key="+dataset.AnnotationsKey, "--set", "annotations.format=cvat-images-1.1",
		"--set", "format=coco-instances", "--set", "key=out.zip")
	n := dataset.Count().Images
	for _, text := range []string{fmt.Sprintf("succeeded, objects: %d with warnings", n), fmt.Sprintf("0 images left out, %d images with warnings", n)} {
		if !strings.Contains(out, text) {
			t.Errorf("%q is not in\n%s", text, out)
		}
	}
	if strings.Contains(out+errs, "failed") || strings.Count(errs, "warning  ") != n {
		t.Errorf("%s\n%s", out, errs)
	}
}

func TestVerificationFindsFaults(t *testing.T) {
	t.Parallel()
	for _, flags := range [][]string{nil, {"--json"}} {
		out, errs := want(t.Context(), t, cli.ExitFaults, nil, append([]string{"run", "verify-connection", "--source", "file:///no/such/directory"}, flags...)...)
		if !strings.Contains(errs, "stevedore: found 1 fault\n") || flags == nil && (!strings.Contains(out, "ended: found 1 fault") || strings.Contains(out, "succeeded")) {
			t.Errorf("%s\n%s", out, errs)
		}
	}
}

// help is another way to write --help. It does not end the process.
func TestHelpCommand(t *testing.T) {
	t.Parallel()
	out, _ := want(t.Context(), t, cli.ExitOK, nil, "help")
	for _, code := range cli.ExitCodes() {
		if !strings.Contains(out, fmt.Sprintf("%3d  %s", int(code), strings.ReplaceAll(code.String(), "`", ""))) {
			t.Errorf("exit code %d is not in the help:\n%s", int(code), out)
		}
	}
	if out, _ := want(t.Context(), t, cli.ExitOK, nil, "help", "wait"); !strings.Contains(out, "--fail-on-errors") {
		t.Errorf("%s", out)
	}
	if _, errs := want(t.Context(), t, cli.ExitInvalid, nil, "help", "dance"); !strings.Contains(errs, "dance") {
		t.Errorf("%s", errs)
	}
}

// Ctrl-C says what becomes of the job. The exit code is that of a
// program that a signal has ended.
func TestInterrupt(t *testing.T) {
	skipInShort(t)
	t.Parallel()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	url := redisURL(queuetest.Embedded(t))
	want(t.Context(), t, cli.ExitOK, []string{url}, "enqueue", "build-manifest", "--source", "file:///tmp", "--id", "j")
	ctx, cancel := context.WithTimeout(t.Context(), maxWait)
	defer cancel()
	command := exec.CommandContext(ctx, path, "wait", "j")
	command.Env = append(os.Environ(), url)
	var errs syncBuffer
	command.Stderr = &errs
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	queuetest.Eventually(t, 20*time.Second, "the command waits", func() bool {
		return bytes.Contains(errs.Bytes(), []byte("queued"))
	})
	if err := command.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = command.Wait()
	code := command.ProcessState.ExitCode()
	if code != int(cli.ExitInterrupted) || !bytes.Contains(errs.Bytes(), []byte("the job goes on; wait again with:\n  stevedore wait j")) {
		t.Errorf("exit %d\n%s", code, errs.Bytes())
	}
}

// stuckName is the variable that makes the test's program behave like a
// command that does not end when it should.
const stuckName = "STEVEDORE_TEST_STUCK"

func beStuck() {
	ctx, _ := interruptible()
	_, _ = fmt.Fprintln(os.Stdout, "begun")
	<-ctx.Done()
	_, _ = fmt.Fprintln(os.Stdout, "interrupted")
	select {}
}

// A second Ctrl-C ends a command that is stuck. A SIGTERM after the
// first does not: it could end a worker that still commits its work.
func TestSecondInterrupt(t *testing.T) {
	skipInShort(t)
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), maxWait)
	defer cancel()
	command := exec.CommandContext(ctx, os.Args[0])
	command.Env = append(os.Environ(), stuckName+"=1")
	var out syncBuffer
	command.Stdout = &out
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	after := func(text string, signals ...os.Signal) {
		queuetest.Eventually(t, 20*time.Second, text, func() bool { return bytes.Contains(out.Bytes(), []byte(text)) })
		for _, s := range signals {
			if err := command.Process.Signal(s); err != nil {
				t.Fatal(err)
			}
		}
	}
	after("begun", syscall.SIGINT)
	after("interrupted", syscall.SIGTERM, syscall.SIGINT)
	_ = command.Wait()
	if code := command.ProcessState.ExitCode(); code != int(cli.ExitInterrupted) {
		t.Errorf("exit %d, %v", code, command.ProcessState)
	}
}
