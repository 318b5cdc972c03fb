package job

import "github.com/stevedore-jobs/stevedore/tasks"

// enough objects that were all denied are a pattern, and no oddity of a few.
const enough = 10

// Denials watches whether a bucket refuses everything that one shard asks it
// for. One object that may not be read is a line of the error list; if it is
// all of them, the job's credentials are wrong, and the job should say so at
// once. The zero value is ready; it is for one goroutine.
type Denials struct {
	asked, denied int
	first         error
}

// Note takes down how one read ended.
func (d *Denials) Note(fault *tasks.ObjectError, err error) {
	d.asked++
	if fault == nil || fault.Code != CodeDenied && fault.Code != CodeInvalid {
		return
	}
	d.denied++
	if d.first == nil {
		d.first = err
	}
}

// Err is the first denial when everything was denied: at least ten objects,
// or all there were in the first shard.
func (d *Denials) Err(s Shard) error {
	if d.denied < d.asked || d.denied < enough && s.After != "" {
		return nil
	}
	return d.first
}
