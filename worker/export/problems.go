package export

import (
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/export/annotation"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// The codes of problems with images. The error list also has the
// codes of annotation, worker/job and worker/imagehead.
const (
	codeInvalidName  = "invalid-name"  // an archive cannot hold the image's name
	codeInvalidImage = "invalid-image" // the document has no usable width and height of the image
	codeSizeMismatch = "size-mismatch" // the stored image has another size than its annotations say
)

// maxProblems is how many problems of an image are listed. More are
// counted.
const maxProblems = 8

// problems are those of one image. They become one line of the error
// list, because each line counts as one object.
type problems struct {
	list []*annotation.Problem
	more int // beyond maxProblems
}

func (p *problems) add(one *annotation.Problem) {
	if len(p.list) == maxProblems {
		p.more++
		return
	}
	p.list = append(p.list, one)
}

func (p *problems) empty() bool { return len(p.list) == 0 }

// maxListed is how many problems of all images are described. Each
// takes some hundred bytes of memory.
const maxListed = 100_000

// problemRoom counts the problems that are described. It is safe for
// concurrent use.
type problemRoom struct{ described atomic.Int64 }

// add adds a problem to those of an image. If maxListed problems are
// described already, it keeps only the code of the image's first
// problem.
func (r *problemRoom) add(to *problems, one *annotation.Problem) {
	if len(to.list) < maxProblems && r.described.Add(1) > maxListed {
		r.described.Add(-1)
		one = &annotation.Problem{Code: one.Code, Message: "one of too many problems to describe"}
		if !to.empty() {
			to.more++
			return
		}
	}
	to.add(one)
}

// clear takes back what add has added to the problems of an image.
func (r *problemRoom) clear(of *problems) {
	r.described.Add(-int64(len(of.list)))
	*of = problems{}
}

// line returns the line of the error list. It has the code of the
// first problem.
func (p *problems) line(key string) tasks.ObjectError {
	texts := make([]string, len(p.list))
	for i, one := range p.list {
		texts[i] = one.Message
		if one.Code != p.list[0].Code {
			texts[i] = one.String()
		}
	}
	text := strings.Join(texts, "; ")
	if p.more > 0 {
		text += fmt.Sprintf("; and %d more", p.more)
	}
	return tasks.ObjectError{Key: key, Code: p.list[0].Code, Message: text}
}

// imageProgress reports the images to the engine.
type imageProgress struct {
	*job.Progress
	directory imageDirectory
}

// finish counts an image as done, or puts it on the error list if it
// has problems: as a warning if the image is exported all the same. It
// counts an image only once.
func (p *imageProgress) finish(im *imageRecord, bytes int64) {
	if im.finished {
		return
	}
	im.finished = true
	if im.problems.empty() {
		p.Done(bytes)
		return
	}
	line := im.problems.line(p.directory.key(im))
	line.Warning = !im.leftOut
	p.Reject(line)
	im.problems = problems{} // they are reported
}
