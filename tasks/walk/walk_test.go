package walk_test

import (
	"reflect"
	"testing"

	"github.com/stevedore-jobs/stevedore/tasks/walk"
)

type part struct{ Name string }

type inner struct {
	Optional *part `json:"optional,omitempty"`
}

type base struct{ Embedded part }

type whole struct {
	base
	Direct part            `json:"direct"`
	Inner  inner           `json:"inner"`
	List   []*inner        `json:"list"`
	Pair   [2]part         `json:"pair"`
	Map    map[string]part `json:"map"`
	Self   *whole          `json:"self"`
	Text   string
	hidden part
}

func example() whole {
	return whole{
		base: base{part{"embedded"}}, Direct: part{"direct"}, Inner: inner{&part{"optional"}},
		List: []*inner{nil, {}, {&part{"listed"}}}, Pair: [2]part{{"first"}, {"second"}},
		Map: map[string]part{"a": {"mapped"}}, Self: &whole{Direct: part{"own"}}, hidden: part{"hidden"},
	}
}

// What Find returns can be changed, and the original stays as it is.
func TestCopyIsTheCallers(t *testing.T) {
	t.Parallel()
	original := example()
	for name, v := range map[string]any{"struct": original, "pointer": &original} {
		c := walk.NewCopy(v)
		var names []string
		for _, p := range walk.Find[part](c) {
			names = append(names, p.Name)
			p.Name += "!"
		}
		want := []string{"embedded", "direct", "optional", "listed", "first", "second", "", "own", "", ""}
		if !reflect.DeepEqual(names, want) {
			t.Errorf("%s: found %q, want %q", name, names, want)
		}
		if !reflect.DeepEqual(original, example()) {
			t.Errorf("%s: the original was changed: %+v", name, original)
		}
		changed, ok := c.Interface().(whole)
		if p, isPointer := c.Interface().(*whole); isPointer {
			changed, ok = *p, true
		}
		if !ok || changed.Inner.Optional.Name != "optional!" || changed.List[2].Optional.Name != "listed!" || changed.Self.Direct.Name != "own!" {
			t.Errorf("%s: the copy does not have the changes: %+v", name, changed)
		}
	}
}

type pieces []part

type skipped struct {
	*base         // JSON cannot decode it: the type is not exported
	pieces        // not a struct: JSON leaves it out
	Left   part   `json:"-"`
	Dash   part   `json:"-,"` // its name is a dash
	Number [1]int `json:"number"`
}

// What JSON leaves out is not found, and not changed either.
func TestOnlyWhatJSONHas(t *testing.T) {
	t.Parallel()
	original := skipped{base: &base{part{"embedded"}}, pieces: pieces{{"piece"}}, Left: part{"left"}, Dash: part{"dash"}}
	found := walk.Find[part](walk.NewCopy(original))
	for _, p := range found {
		p.Name += "!"
	}
	if len(found) != 1 || found[0].Name != "dash!" {
		t.Errorf("found %d parts, want the one that JSON has: %+v", len(found), found)
	}
	if original.Embedded.Name != "embedded" || original.Left.Name != "left" {
		t.Errorf("the original was changed: %+v", original)
	}
	want := []walk.Path{{Name: "-"}}
	if got := walk.Paths[skipped, part](); !reflect.DeepEqual(got, want) {
		t.Errorf("Paths gave %+v, want %+v", got, want)
	}
}

func TestPaths(t *testing.T) {
	t.Parallel()
	want := []walk.Path{
		{Name: "Embedded"}, {Name: "direct"}, {Name: "inner.optional"}, {Name: "list[].optional"}, {Name: "pair[]"},
		{Name: "map[]", InMap: true},
	}
	if got := walk.Paths[whole, part](); !reflect.DeepEqual(got, want) {
		t.Errorf("Paths gave %+v, want %+v", got, want)
	}
	if got := walk.Paths[*whole, part](); !reflect.DeepEqual(got, want) {
		t.Errorf("Paths of a pointer gave %+v, want %+v", got, want)
	}
}

func TestFields(t *testing.T) {
	t.Parallel()
	type options struct {
		First  string `json:"first_name,omitempty"`
		Second *part
		hidden string
	}
	var got []walk.Field
	for f := range walk.Fields(options{First: "x", hidden: "y"}) {
		got = append(got, f)
	}
	want := []walk.Field{{Name: "first_name", Value: "x", Given: true}, {Name: "Second", Value: (*part)(nil)}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Fields gave %+v, want %+v", got, want)
	}
}
