package export

import (
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
)

const defaultSubset = "default"

// readSchema reads up to the end of <meta>, which stands before the first
// image (CVAT-01).
func (r *reader) readSchema() error {
	root, err := r.child()
	if err != nil {
		return err
	}
	if root == nil || root.Name.Local != "annotations" {
		return r.fail("", "the root element is not <annotations>", "")
	}
	for {
		start, err := r.child()
		switch {
		case err != nil:
			return err
		case start == nil || start.Name.Local == "image":
			return r.fail("", "there is no <meta> before the first image", "")
		case start.Name.Local == "meta":
			return r.meta(start)
		case start.Name.Local == "version":
			err = r.version(start)
		default:
			err = r.skip()
		}
		if err != nil {
			return err
		}
	}
}

func (r *reader) version(start *xml.StartElement) error {
	var v string
	if err := r.dec.DecodeElement(&v, start); err != nil {
		return r.explain(err)
	}
	if v = strings.TrimSpace(v); v != "1.1" {
		return r.fail("", fmt.Sprintf("version %q, not 1.1", v), "")
	}
	return nil
}

// scope is what a document was exported from: a task, a project or a job.
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

func (r *reader) meta(start *xml.StartElement) error {
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
	return r.fail("", "<meta> declares no labels in a <task>, <project> or <job>", "")
}

// declare takes over a scope's labels. Parts of skeletons are left out: they
// name points, not categories, and may share names.
func (r *reader) declare(s scope) error {
	r.schema.subset = strings.TrimSpace(s.Subset)
	r.schema.places = map[string]int{}
	for _, l := range s.Labels {
		if l.Parent != "" {
			continue
		}
		_, twice := r.schema.places[l.Name]
		if l.Name == "" || l.Name != strings.TrimSpace(l.Name) || strings.ContainsAny(l.Name, "\r\n") || twice {
			return r.fail("InvalidLabel", fmt.Sprintf("label %q is empty, declared twice, or has white space around it or a line break in it", l.Name),
				"Rename the label in CVAT and export again.")
		}
		r.schema.places[l.Name] = len(r.schema.labels)
		inputs := map[string]string{}
		for _, a := range l.Attributes {
			inputs[a.Name] = strings.TrimSpace(a.Input)
		}
		r.schema.labels = append(r.schema.labels, label{l.Name, inputs})
	}
	return nil
}

// header reads an image's own attributes. A size that is no plain number
// stays 0.
func (r *reader) header(attrs []xml.Attr) header {
	h := header{subset: r.schema.subset}
	for _, a := range attrs {
		switch a.Name.Local {
		case "name":
			h.name = a.Value
		case "width":
			h.width, _ = strconv.Atoi(a.Value)
		case "height":
			h.height, _ = strconv.Atoi(a.Value)
		case "subset":
			if s := strings.TrimSpace(a.Value); s != "" {
				h.subset = s
			}
		}
	}
	if h.subset == "" {
		h.subset = defaultSubset
	}
	return h
}
