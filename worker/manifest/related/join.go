package related

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/worker/imagehead"
	"github.com/stevedore-jobs/stevedore/worker/linesort"
	"github.com/stevedore-jobs/stevedore/worker/manifest/entry"
	"github.com/stevedore-jobs/stevedore/worker/memory"
	"github.com/stevedore-jobs/stevedore/worker/steps"
)

// MaxImages is how many context images an entry may have. A line must
// stay short enough for those who read it.
const MaxImages = 5000

// TooMany returns the error for an image or a point cloud with more.
func TooMany(owner string) error {
	return &providers.Error{
		Op: "list", Key: owner, Kind: providers.Invalid, Code: "TooManyContextImages",
		Detail: fmt.Sprintf("over %d images may be context images of it", MaxImages),
		Fix:    "Exclude directories that hold no context images.",
	}
}

// image is the line of a context image, until it is joined with its
// owner. Owners are those that it may still belong to.
type image struct {
	Context string  `json:"context"` // its name
	Owners  []Owner `json:"owners"`
	Found   bool    `json:"found,omitempty"` // the first owner exists
}

// Line returns the line of an image that may belong to one of several
// owners; the first one that exists counts.
func Line(name string, owners []Owner) []byte {
	return image{Context: name, Owners: owners}.line()
}

// owner returns the name of the owner that the image may belong to.
func (i image) owner() string {
	if len(i.Owners) == 0 {
		return ""
	}
	return i.Owners[0].Name
}

func (i image) line() []byte {
	text, _ := json.Marshal(i) // strings and a bool
	return append(text, '\n')
}

// Joined are the entries with their context images. The caller must
// close them.
type Joined struct {
	// Budget and Memory are for who sorts the entries, until they are
	// closed. They are part of what Join has acquired.
	Budget *memory.Budget
	Memory int

	lines   []*linesort.Lines // of each round: each is made of the one before
	release func()
	unowned int64
	byStem  bool // owners are known by their names without the extension
}

// Clouds says whether owners are point clouds, by their names without
// the extension, or images.
type Clouds bool

// Join joins entries and lines of context images, in any order. It takes
// some MiB of the budget until the result is closed; the caller must
// hold no share.
func Join(
	ctx context.Context, pieces iter.Seq2[[]byte, error], clouds Clouds, budget *memory.Budget,
) (_ *Joined, err error) {
	room := min(24<<20, budget.Largest())
	release, err := budget.Acquire(ctx, room)
	if err != nil {
		return nil, err
	}
	j := &Joined{
		release: release, byStem: bool(clouds), Memory: int(room / 12),
		Budget: memory.New(room / 3 * 4), // of which one share may be room
	}
	sorter := linesort.Sorter{Key: j.sortKey, Memory: j.Memory, Budget: j.Budget}
	for range rounds(clouds) {
		lines, err := sorter.Sort(ctx, pieces)
		if err != nil {
			j.Close()
			return nil, err
		}
		j.lines = append(j.lines, lines)
		pieces = j.groups(ctx, lines, j.settle)
	}
	return j, nil
}

// rounds returns how many owners an image may have at most.
func rounds(clouds Clouds) int {
	if clouds {
		return 4
	}
	return 1
}

// Close frees what the lines take. It may be called twice.
func (j *Joined) Close() {
	for _, lines := range j.lines {
		_ = lines.Close()
	}
	j.lines = nil
	j.release()
}

// Unowned returns how many images belong to no entry, once Pieces has
// been ranged over.
func (j *Joined) Unowned() int64 { return j.unowned }

// Pieces yields the entries, each with its context images. It may be
// ranged over again.
func (j *Joined) Pieces(ctx context.Context) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		j.unowned = 0
		j.groups(ctx, j.lines[len(j.lines)-1], j.join)(yield)
	}
}

// group is the lines of one owner: the entries with its name, and the
// images that may belong to it.
type group struct {
	owner   string
	entries [][]byte
	images  []image
}

// groups yields what do makes of each group of the lines.
func (j *Joined) groups(
	ctx context.Context, lines *linesort.Lines,
	do func(g *group, yield func([]byte) bool) error,
) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		var work steps.Counter
		g, goOn := &group{}, true
		give := func(line []byte) bool {
			goOn = goOn && yield(line, nil)
			return goOn
		}
		for piece, err := range lines.Pieces(ctx) {
			for line := range bytes.Lines(piece) {
				if err == nil {
					err = work.Add(ctx, len(line))
				}
				if err == nil {
					g, err = j.add(g, line, func(g *group) error { return do(g, give) })
				}
				if err != nil || !goOn {
					break
				}
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !goOn {
				return
			}
		}
		if err := do(g, give); err != nil {
			yield(nil, err)
		}
	}
}

// add adds a line to the group of its owner. If that is another one, the
// group before has ended.
func (j *Joined) add(g *group, line []byte, end func(*group) error) (*group, error) {
	im, isImage := imageOf(line)
	owner, err := im.owner(), error(nil)
	if !isImage {
		owner, err = j.ownName(line)
	}
	if err != nil {
		return g, err
	}
	if owner != g.owner {
		if err := end(g); err != nil {
			return g, err
		}
		g = &group{owner: owner}
	}
	switch {
	case !isImage:
		g.entries = append(g.entries, bytes.Clone(line))
	case len(g.images) >= MaxImages:
		return g, TooMany(owner)
	default:
		g.images = append(g.images, im)
	}
	return g, nil
}

// settle marks the images whose first owner exists, and takes that owner
// away from the others.
func (j *Joined) settle(g *group, yield func([]byte) bool) error {
	for _, line := range g.entries {
		if !yield(line) {
			return nil
		}
	}
	for _, im := range g.images {
		if !im.Found && g.has(im.Owners[0]) {
			im.Found = true
		} else if !im.Found && len(im.Owners) > 1 {
			im.Owners = im.Owners[1:]
		}
		if !yield(im.line()) {
			return nil
		}
	}
	return nil
}

// has reports whether an owner exists.
func (g *group) has(o Owner) bool {
	for _, line := range g.entries {
		if matches(line, o) {
			return true
		}
	}
	return false
}

// matches reports whether an entry of the owner's name has the extension
// that the owner must have.
func matches(line []byte, o Owner) bool {
	name, err := entry.Name(line)
	extension := imagehead.Extension(name)
	return err == nil && (o.Extension == "" || strings.EqualFold(extension, o.Extension))
}

// join yields the entries of a group with their images.
func (j *Joined) join(g *group, yield func([]byte) bool) error {
	for _, im := range g.images {
		if !g.has(im.Owners[0]) {
			j.unowned++
		}
	}
	for _, line := range g.entries {
		var names []string
		for _, im := range g.images {
			if matches(line, im.Owners[0]) {
				names = append(names, im.Context)
			}
		}
		if !yield(entry.WithRelated(line, names)) {
			return nil
		}
	}
	return nil
}

// imageOf returns the context image that a line is of, if it is one.
func imageOf(line []byte) (im image, ok bool) {
	if !bytes.HasPrefix(line, []byte(`{"context":`)) {
		return image{}, false
	}
	err := json.Unmarshal(line, &im)
	return im, err == nil && len(im.Owners) > 0
}

// ownName returns the name by which images know an entry.
func (j *Joined) ownName(line []byte) (string, error) {
	name, err := entry.Name(line)
	if err == nil && j.byStem {
		name = strings.TrimSuffix(name, imagehead.Extension(name))
	}
	return name, err
}

// sortKey puts each entry before the images that may belong to it, and
// these in the order of CVAT: by the parts of their paths.
func (j *Joined) sortKey(line []byte) (string, error) {
	if im, isImage := imageOf(line); isImage {
		return im.Owners[0].Name + "\x00\x01" + strings.ReplaceAll(im.Context, "/", "\x00"), nil
	}
	name, err := entry.Name(line)
	if err != nil {
		return "", err
	}
	own, err := j.ownName(line)
	return own + "\x00\x00" + name, err
}
