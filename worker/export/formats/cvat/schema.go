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
			err := r.meta(start)
			return r.schema, err
		case start.Name.Local == "version":
			err = r.version(start)
		default:
			err = r.skip()
		}
		if err != nil {
			return annotation.Schema{}, err
		}
	}
}

func (r *Reader) version(start *xml.StartElement) error {
	var v string
	if err := r.dec.DecodeElement(&v, start); err != nil {
		return r.explain(err)
	}
	if v = strings.TrimSpace(v); v != "1.1" {
		return r.malformed(fmt.Sprintf("version %q, not 1.1", v))
	}
	return nil
}

// scope is a task, a project or a job that a document was exported
// from.
type scope struct {
	Subset string `xml:"subset"`
	Labels []struct {
		Name       string `xml:"name"`
		Parent     string `xml:"parent"`
		Attributes []struct {
			Name  string `xml:"name"`
			Input string `xml:"input_type"`
		} `xml:"attributes>attribute"`
	} `xml:"labels>label"`
}

func (r *Reader) meta(start *xml.StartElement) error {
	var m struct {
		Task    scope `xml:"task"`
		Project scope `xml:"project"`
		Job     scope `xml:"job"`
	}
	if err := r.dec.DecodeElement(&m, start); err != nil {
		return r.explain(err)
	}
	for _, s := range []scope{m.Task, m.Project, m.Job} {
		if len(s.Labels) > 0 {
			return r.declare(s)
		}
	}
	return r.malformed("<meta> declares no labels in a <task>, <project> or <job>")
}

// declare fills the schema with a scope's labels. It leaves out the
// parts of skeletons: they name points, not categories, and may share
// names.
func (r *Reader) declare(s scope) error {
	r.subset = strings.TrimSpace(s.Subset)
	for _, l := range s.Labels {
		if l.Parent != "" {
			continue
		}
		label := annotation.Label{
			Name: l.Name, Attributes: map[string]annotation.AttributeType{},
		}
		for _, a := range l.Attributes {
			label.Attributes[a.Name] = attributeType(strings.TrimSpace(a.Input))
		}
		valid := l.Name != "" && l.Name == strings.TrimSpace(l.Name) &&
			!strings.ContainsAny(l.Name, "\r\n")
		if !valid || !r.schema.Add(label) {
			return &annotation.DocumentError{
				Code: "InvalidLabel", Line: r.Line(),
				Detail: fmt.Sprintf("label %q is empty, is declared twice, "+
					"or has white space around it or a line break in it", l.Name),
				Fix: "Rename the label in CVAT and export again.",
			}
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

// image reads the XML attributes of an <image>. A size that is not a
// plain number stays 0.
func (r *Reader) image(attrs []xml.Attr) annotation.Image {
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
