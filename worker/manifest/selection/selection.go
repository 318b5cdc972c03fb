// Package selection decides by the listing alone which objects
// belong in a manifest, and why others do not.
//
// It knows names and sizes, and no content.
package selection

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/globs"
	"github.com/stevedore-jobs/stevedore/worker/imagehead"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/pointcloud"
)

// The reasons to leave an object out that are not worth a line on
// the error list.
const (
	OwnOutput    = "own-output"    // Stevedore has written it
	FolderMarker = "folder-marker" // it stands for a directory, and has a slash at its end
	NotAnImage   = "not-an-image"  // by the extension of its name
	Excluded     = "excluded"      // by include or exclude
	BelowMinSize = "below-min-size"
	AboveMaxSize = "above-max-size"
	ContextImage = "context-image" // it belongs to another image or a point cloud
	// Unowned is an image in a directory for context images, or beside
	// point clouds, that belongs to nothing. CVAT leaves it out too.
	Unowned = "unowned-context-image"
	// Gone is an object that an inventory report lists, and that the
	// bucket has no more.
	Gone = "gone-since-inventory"
)

var reasons = []string{
	OwnOutput, FolderMarker, NotAnImage, Excluded, BelowMinSize, AboveMaxSize, ContextImage,
	Unowned, Gone,
}

// The codes of objects on the error list that only the listing is
// needed for, beside head.CodeUnusableKey.
const (
	// CodeOutside is the code of an image outside the manifest's
	// directory. No entry can name it.
	CodeOutside = "outside-manifest-directory"
	// CodeCannotOpen is the code of an image that CVAT accepts by
	// its name and then cannot open.
	CodeCannotOpen = "cvat-cannot-open"
	// CodeControl is the code of a warning: the image is an entry.
	CodeControl = "control-character"
	// CodeMismatch is the code of a warning: the image is an entry.
	CodeMismatch = "mismatched-extension"
)

// Selection selects the objects of one manifest. Make one with New.
// It is safe for concurrent use.
type Selection struct {
	dir              string // the manifest's directory, with a slash at its end, or empty
	selected         globs.Selection
	minSize, maxSize int64
	unopenable       bool // images that CVAT cannot open are entries
	solid            bool // the entries are point clouds
}

// New makes the selection of a job whose manifest lies in a
// directory. The directory has a slash at its end, or is empty.
func New(j tasks.BuildManifest, dir string) Selection {
	return Selection{
		dir: dir, selected: globs.New(j.Include, j.Exclude),
		minSize: j.MinSize, maxSize: j.MaxSize,
		unopenable: j.Unopenable == tasks.UnopenableInclude, solid: j.Solid(),
	}
}

// Verdict says what the listing shows of an object. The zero value
// means that the object may be an entry.
type Verdict struct {
	// Tally is the count that an object belongs to if it is no
	// entry. SkippedBy reads these counts.
	Tally string
	// Err is an *head.Error if the object belongs on the error
	// list.
	Err error
}

// Judge decides on an object.
func (s Selection) Judge(o providers.Object) Verdict {
	if reason := s.skips(o); reason != "" {
		return Verdict{Tally: skipped + reason}
	}
	if fault := imagehead.FaultOf(o.Key); fault != "" {
		return Verdict{unusable + string(fault), imagehead.CheckKey(o.Key)}
	}
	switch {
	case !strings.HasPrefix(o.Key, s.dir):
		return onList(CodeOutside,
			"the image is outside the manifest's directory, %q; CVAT resolves entries from there",
			s.dir)
	case !s.unopenable && isRaw(o.Key):
		return onList(CodeCannotOpen,
			"CVAT accepts %s as an image but cannot open it, and would fail the whole task",
			imagehead.Extension(o.Key))
	}
	return Verdict{}
}

// isRaw reports whether CVAT takes a key for an image, but cannot
// open it whatever its content is. If the name is that of a type whose
// heads can be read, such as HEIC, the content decides.
func isRaw(key string) bool {
	return imagehead.ByName(key) == imagehead.Unreadable && !imagehead.ReadsName(key)
}

const typeTIFF head.Type = "tiff"

// JudgeHead decides on an image by its name and head.
func (s Selection) JudgeHead(key string, h head.Head) Verdict {
	if isRaw(key) && h.Type == typeTIFF {
		// The head is that of a preview in a camera's raw file.
		return Verdict{Err: imagehead.UnsupportedName(key)}
	}
	if s.unopenable || h.Refusal == "" {
		return Verdict{}
	}
	return Verdict{unusable + CodeCannotOpen, &head.Error{
		Code: CodeCannotOpen, Type: h.Type, Detail: h.Refusal,
	}}
}

// onList returns the verdict on an object that is on the error list for
// its name alone.
func onList(code, detail string, args ...any) Verdict {
	return Verdict{unusable + code, &head.Error{Code: code, Detail: fmt.Sprintf(detail, args...)}}
}

// skips returns the reason why an object does not belong in the
// manifest, or an empty text.
func (s Selection) skips(o providers.Object) string {
	switch {
	case tasks.IsOwn(o.Key):
		return OwnOutput
	case strings.HasSuffix(o.Key, "/"):
		return FolderMarker
	case !s.accepts(o.Key):
		return NotAnImage
	case !s.selected.Has(o.Key):
		return Excluded
	case o.Size < s.minSize:
		return BelowMinSize
	case s.maxSize > 0 && o.Size > s.maxSize:
		return AboveMaxSize
	}
	return ""
}

// accepts reports whether a key is of an image, or of a point cloud
// where these are the entries.
func (s Selection) accepts(key string) bool {
	return imagehead.ByName(key) != imagehead.NotImage || s.solid && pointcloud.ByName(key)
}

// Warning returns a warning for the error list if an entry has a key
// with control characters, or one whose extension is that of another
// type; else nil. CVAT opens such images, but other tools may not.
func Warning(key string, t head.Type) *tasks.ObjectError {
	warning := tasks.ObjectError{Key: key, Warning: true}
	i := strings.IndexFunc(key, unicode.IsControl)
	switch {
	case i >= 0:
		warning.Code = CodeControl
		warning.Message = fmt.Sprintf(
			"the key has a control character at byte %d, %+q; other tools may refuse it",
			i, []rune(key[i:])[0])
	case !imagehead.FitsName(key, t):
		warning.Code = CodeMismatch
		warning.Message = fmt.Sprintf("the name ends in %s, but the content is %s",
			imagehead.Extension(key), t)
	default:
		return nil
	}
	return &warning
}
