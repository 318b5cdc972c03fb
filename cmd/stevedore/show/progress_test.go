package show

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// running is a job with everything that the line can show.
func running(kind string, objects int64) tasks.Status {
	return tasks.Status{ID: "j", Kind: kind, State: tasks.StateRunning, Progress: tasks.Progress{
		Objects: objects, ObjectsTotal: 5_000_000, Failed: 123_456, Warnings: 100_000, Rate: 1234, ETASeconds: 4000,
		Codes: map[string]int64{"corrupt-image": 23_456, "unsupported-shape": 100_000},
	}}
}

var control = regexp.MustCompile("\r|\x1b\\[[AK]")

// On a terminal of any width, also with wide characters, the progress
// is one line, and names one time that is left.
func TestProgressIsOneLine(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"build-manifest", "x-数える画像😀😀の仕事"} {
		for _, columns := range []int{200, 80, 50, 21, 5, 1} {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				p := &Progress{w: &out, quit: make(chan struct{})}
				p.useLine(func() int { return columns })
				for i := range int64(100) {
					p.Show(running(kind, i*50_000))
				}
				<-time.After(3 * drawEvery) // drawn again without news
				p.End()
				p.Show(running(kind, 1)) // after the end nothing is drawn
				synctest.Wait()

				if strings.ContainsAny(out.String(), "\nA") || !strings.HasSuffix(out.String(), "\r\x1b[K") {
					t.Errorf("%d columns: more than one line, or it is not removed: %.300q", columns, out.String())
				}
				frames := control.Split(out.String(), -1)
				for _, frame := range frames {
					if w := text.StringWidthWithoutEscSequences(frame); w >= max(2, columns) || strings.Count(frame, "h6m40s") > 1 {
						t.Errorf("%d columns: %d wide: %q", columns, w, frame)
					}
				}
				if columns >= 80 && !strings.Contains(out.String(), "24%, 1200000 of 5000000 objects, 1h6m40s left") {
					t.Errorf("%d columns: %q", columns, frames[len(frames)/2])
				}
			})
		}
	}
}

// A line that the terminal has wrapped, because it became narrower, is
// removed whole.
func TestProgressOnANarrowerTerminal(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	columns := 120
	l := &line{w: &out, columns: func() int { return columns }}
	l.draw([]part{{strings.Repeat("x", 110), 1}}, tasks.Progress{})
	columns = 50
	out.Reset()
	l.draw([]part{{"short", 1}}, tasks.Progress{})
	if want := "\r\x1b[K\x1b[A\x1b[K\x1b[A\x1b[Kshort"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}

// The least important parts are left out first.
func TestProgressParts(t *testing.T) {
	t.Parallel()
	s := running("build-manifest", 1_200_000)
	for columns, want := range map[int]string{
		200: "build-manifest: running, 24%, 1200000 of 5000000 objects, 1h6m40s left, 23456 left out, 100000 with warnings, 1234 objects/s",
		80:  "build-manifest: running, 24%, 1200000 of 5000000 objects, 1h6m40s left",
		50:  "build-manifest: running, 24%, 1h6m40s left",
		30:  "build-manifest: running, 24%",
		9:   "build-ma…",
	} {
		if got := compose(lineParts(s), columns); got != want {
			t.Errorf("%d columns: %q", columns, got)
		}
	}
	if got := bar(tasks.Progress{Objects: 5, ObjectsTotal: 10}, 23); got != " [==========          ]" {
		t.Errorf("bar %q", got)
	}
}

// In a file or a pipe the progress is a line for each state, and few
// between.
func TestPlainProgressIsSparse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := NewProgress(&out)
		p.Show(tasks.Status{Kind: "build-manifest", State: tasks.StateQueued})
		for i := range int64(60) {
			p.Show(running("build-manifest", i))
			<-time.After(time.Second)
		}
		p.Show(tasks.Status{Kind: "build-manifest", State: tasks.StateFinishing})
		p.End()
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) != 8 || lines[0] != "build-manifest: queued" || lines[7] != "build-manifest: finishing" {
			t.Errorf("%d lines:\n%s", len(lines), out.String())
		}
		want := "build-manifest: running, 0 of 5000000 objects, 23456 left out, 100000 with warnings, " +
			"100000 unsupported-shape, 23456 corrupt-image, 1234 objects/s, 1h6m40s left"
		if lines[1] != want {
			t.Errorf("%s", lines[1])
		}
	})
}

// A table fits the terminal, whatever its cells hold.
func TestTableFits(t *testing.T) {
	t.Parallel()
	long := "get " + strings.Repeat("長いバケット名", 12) + "/" + strings.Repeat("directory/", 10) + "😀.jpg: denied: the key pair may not read it"
	for _, columns := range []int{120, 80, 50, 40} {
		var out bytes.Buffer
		table := NewTable(&out, "check", "status", "seen")
		table.columns = func() int { return columns }
		table.Row("credentials", "fail", long)
		table.Row(strings.Repeat("名前", 40), "ok", "\x1b[31mred\x07")
		table.Render()
		for row := range strings.Lines(out.String()) {
			row = strings.TrimSuffix(row, "\n")
			if w := text.StringWidthWithoutEscSequences(row); w > columns {
				t.Errorf("%d columns: %d wide: %s", columns, w, row)
			}
		}
		if strings.ContainsAny(out.String(), "\x1b\x07") {
			t.Errorf("control characters: %q", out.String())
		}
	}
}

// Elsewhere a row of a table is one line, for programs that read lines.
func TestTableInAFile(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	table := NewTable(&out)
	table.Row("result", strings.Repeat("word ", 100)+"end")
	table.Render()
	if want := fmt.Sprintf("result  %send\n", strings.Repeat("word ", 100)); out.String() != want {
		t.Errorf("%q", out.String())
	}
}

// A text is broken between words. A long word stays whole.
func TestWrap(t *testing.T) {
	t.Parallel()
	got := wrap("stevedore: 長い名前 is not valid:\n  field one: wrong and more words\n  https://example.com/a/long/path end\n", 20)
	want := "stevedore: 長い名前\nis not valid:\n  field one: wrong\n  and more words\n  https://example.com/a/long/path\n  end\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
