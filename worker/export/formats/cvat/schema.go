package cvat

import (
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"

	"github.com/stevedore-jobs/stevedore/worker/export/annotation"
)

// Schema reads up to the end of <meta>, which comes before the first
// image (CVAT-01), and returns the labels that it declares.
func (r *Reader) Schema() (annotation.Schema, error) {
	root, err := r.child()
	if err != nil {
		return annotation.Schema{}, err
	}
	if root == nil || root.Name.Local != "annotations" {
		return annotation.Schema{}, r.malformed("the root element is not <annotations>")
	}
	for {
		start, err := r.child()
		switch {
		case err != nil:
			return annotation.Schema{}, err
		case start == nil || start.Name.Local == "image":
			return annotation.Schema{}, r.malformed("there is no <meta> before the first image")
		case start.Name.Local == "meta":
			err := r.meta()
			return r.schema, err
		case start.Name.Local == "version":
			err = r.version()
		default:
			err = r.skip()
		}
		if err != nil {
			return annotation.Schema{}, err
		}
	}
}

func (r *Reader) version() error {
	var v string
	if err := r.name(&v, "the version"); err != nil {
		return err
	}
	if v = strings.TrimSpace(v); v != "1.1" {
		return r.malformed(fmt.Sprintf("version %.100q, not 1.1", v))
	}
	return nil
}

// scope is a task, a project or a job that a document was exported
// from.
type scope struct {
	subset string
	labels []label
}

type label struct {
	name, parent string
	attributes   map[string]annotation.AttributeType
}

// meta reads <meta>, which has labels in one of its scopes.
func (r *Reader) meta() error {
	var task, project, job scope
	room := &labelRoom{
		annotation.MaxLabels, annotation.MaxLabelAttributes, annotation.MaxLabelNames,
	}
	read := func(s *scope) func() error {
		return func() error { return r.scope(s, room) }
	}
	err := r.children(map[string]func() error{
		"task": read(&task), "project": read(&project), "job": read(&job),
	})
	if err != nil {
		return err
	}
	for _, s := range []scope{task, project, job} {
		if len(s.labels) > 0 {
			return r.declare(s)
		}
	}
	return r.malformed("<meta> declares no labels in a <task>, <project> or <job>")
}

// labelRoom is how many labels, attributes of labels, and bytes of
// their names may still come.
type labelRoom struct{ labels, attributes, names int }

// take takes room for names.
func (r *Reader) take(room *labelRoom, names ...string) error {
	for _, name := range names {
		room.names -= len(name)
	}
	if room.names < 0 {
		return r.tooLarge(annotation.MaxLabelNames, "bytes in the names of labels")
	}
	return nil
}

func (r *Reader) scope(s *scope, room *labelRoom) error {
	readLabel := func() error {
		if room.labels--; room.labels < 0 {
			return r.tooLarge(annotation.MaxLabels, "labels")
		}
		var l label
		if err := r.label(&l, room); err != nil {
			return err
		}
		s.labels = append(s.labels, l)
		return r.take(room, l.name, l.parent)
	}
	return r.children(map[string]func() error{
		"subset": func() error { return r.name(&s.subset, "a subset's name") },
		"labels": func() error {
			return r.children(map[string]func() error{"label": readLabel})
		},
	})
}

func (r *Reader) label(l *label, room *labelRoom) error {
	readAttribute := func() error {
		if room.attributes--; room.attributes < 0 {
			return r.tooLarge(annotation.MaxLabelAttributes, "attributes of labels")
		}
		var name, input string
		err := r.children(map[string]func() error{
			"name":       func() error { return r.name(&name, "an attribute's name") },
			"input_type": func() error { return r.name(&input, "an attribute's type") },
		})
		if err != nil {
			return err
		}
		if l.attributes == nil {
			l.attributes = map[string]annotation.AttributeType{}
		}
		l.attributes[name] = attributeType(strings.TrimSpace(input))
		return r.take(room, name)
	}
	return r.children(map[string]func() error{
		"name":   func() error { return r.name(&l.name, "a label's name") },
		"parent": func() error { return r.name(&l.parent, "a label's name") },
		"attributes": func() error {
			return r.children(map[string]func() error{"attribute": readAttribute})
		},
	})
}

// declare fills the schema with a scope's labels. It leaves out the
// parts of skeletons: they name points, not categories, and may share
// names.
func (r *Reader) declare(s scope) error {
	r.subset = strings.TrimSpace(s.subset)
	for _, l := range s.labels {
		if l.parent != "" {
			continue
		}
		valid := l.name != "" && l.name == strings.TrimSpace(l.name) &&
			!strings.ContainsAny(l.name, "\r\n")
		if !valid || !r.schema.Add(annotation.Label{Name: l.name, Attributes: l.attributes}) {
			return r.located(&annotation.DocumentError{
				Code: "InvalidLabel",
				Detail: fmt.Sprintf("label %q is empty, is declared twice, "+
					"or has white space around it or a line break in it", l.name),
				Fix: "Rename the label in CVAT and export again.",
			})
		}
	}
	return nil
}

// attributeType returns the type for CVAT's input_type, which is
// select, checkbox, radio, number or text.
func attributeType(input string) annotation.AttributeType {
	switch input {
	case "checkbox":
		return annotation.Bool
	case "number":
		return annotation.Number
	}
	return annotation.Text
}

// readImage reads the XML attributes of an <image>. A size that is not a
// plain number stays 0.
func (r *Reader) readImage(attrs []xml.Attr) annotation.Image {
	im := annotation.Image{Subset: r.subset}
	for _, a := range attrs {
		switch a.Name.Local {
		case "name":
			im.Name = a.Value
		case "width":
			im.Width, _ = strconv.Atoi(a.Value)
		case "height":
			im.Height, _ = strconv.Atoi(a.Value)
		case "subset":
			if s := strings.TrimSpace(a.Value); s != "" {
				im.Subset = s
			}
		}
	}
	if im.Subset == "" {
		im.Subset = annotation.DefaultSubset
	}
	return im
}
