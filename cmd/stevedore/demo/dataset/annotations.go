package dataset

import (
	"bytes"
	"encoding/xml"
	"image"
	"strconv"
	"strings"
)

// document is the whole file. Its elements are in CVAT's order.
type document struct {
	XMLName xml.Name    `xml:"annotations"`
	Version string      `xml:"version"`
	Task    task        `xml:"meta>task"`
	Images  []imageNode `xml:"image"`
}

type task struct {
	ID     int     `xml:"id"`
	Name   string  `xml:"name"`
	Size   int     `xml:"size"`
	Mode   string  `xml:"mode"`
	Labels []label `xml:"labels>label"`
}

type label struct {
	Name       string   `xml:"name"`
	Attributes struct{} `xml:"attributes"`
}

type imageNode struct {
	ID     int     `xml:"id,attr"`
	Name   string  `xml:"name,attr"`
	Width  int     `xml:"width,attr"`
	Height int     `xml:"height,attr"`
	Shapes []shape `xml:",any"`
}

// shape is any element of an image. A form leaves out the attributes
// that it does not use.
type shape struct {
	XMLName  xml.Name
	Label    string `xml:"label,attr"`
	Source   string `xml:"source,attr"`
	Occluded int    `xml:"occluded,attr"`
	XTL      string `xml:"xtl,attr,omitempty"`
	YTL      string `xml:"ytl,attr,omitempty"`
	XBR      string `xml:"xbr,attr,omitempty"`
	YBR      string `xml:"ybr,attr,omitempty"`
	Points   string `xml:"points,attr,omitempty"`
	CX       string `xml:"cx,attr,omitempty"`
	CY       string `xml:"cy,attr,omitempty"`
	RX       string `xml:"rx,attr,omitempty"`
	RY       string `xml:"ry,attr,omitempty"`
	Rotation string `xml:"rotation,attr,omitempty"`
	RLE      string `xml:"rle,attr,omitempty"`
	Left     string `xml:"left,attr,omitempty"`
	Top      string `xml:"top,attr,omitempty"`
	Width    string `xml:"width,attr,omitempty"`
	Height   string `xml:"height,attr,omitempty"`
	ZOrder   int    `xml:"z_order,attr"`
}

// annotations writes the objects on the images as CVAT for images 1.1.
func annotations(images []Image) ([]byte, error) {
	doc := document{
		Version: "1.1",
		Task:    task{ID: 1, Name: "harbour scenes", Size: len(images), Mode: "annotation"},
	}
	for _, name := range Labels() {
		doc.Task.Labels = append(doc.Task.Labels, label{Name: name})
	}
	for i, m := range images {
		node := imageNode{ID: i, Name: m.Key, Width: m.Width, Height: m.Height}
		for _, o := range m.Objects {
			node.Shapes = append(node.Shapes, describe(o))
		}
		doc.Images = append(doc.Images, node)
	}
	var out bytes.Buffer
	out.WriteString(`<?xml version="1.0" encoding="utf-8"?>` + "\n")
	enc := xml.NewEncoder(&out)
	enc.Indent("", "  ")
	if err := enc.Encode(doc); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

func describe(o Object) shape {
	s := shape{XMLName: xml.Name{Local: string(o.Form)}, Label: o.Label, Source: "manual"}
	switch o.Form {
	case Box:
		s.XTL, s.YTL = number(o.Centre.X-o.Width/2), number(o.Centre.Y-o.Height/2)
		s.XBR, s.YBR = number(o.Centre.X+o.Width/2), number(o.Centre.Y+o.Height/2)
		if o.Rotation != 0 {
			s.Rotation = number(o.Rotation)
		}
	case Polygon:
		points := make([]string, len(o.Corners))
		for i, p := range o.Corners {
			points[i] = number(p.X) + "," + number(p.Y)
		}
		s.Points = strings.Join(points, ";")
	case Ellipse:
		s.CX, s.CY = number(o.Centre.X), number(o.Centre.Y)
		s.RX, s.RY = number(o.Width/2), number(o.Height/2)
	case Mask:
		s.RLE, s.Left, s.Top, s.Width, s.Height = runs(o.coverage())
	}
	return s
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', 2, 64) }

// runs returns a mask as CVAT writes it: the box around it, and the
// lengths of runs in the box, row by row. The first run is outside of
// the mask. A pixel belongs to the mask if at least half of it is
// covered.
func runs(a *image.Alpha) (rle, left, top, width, height string) {
	var box image.Rectangle
	inside := func(x, y int) bool { return a.AlphaAt(x, y).A >= 128 }
	for y := a.Rect.Min.Y; y < a.Rect.Max.Y; y++ {
		for x := a.Rect.Min.X; x < a.Rect.Max.X; x++ {
			if inside(x, y) {
				box = box.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	var lengths []string
	run, in := 0, false
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			if inside(x, y) != in {
				lengths = append(lengths, strconv.Itoa(run))
				run, in = 0, !in
			}
			run++
		}
	}
	lengths = append(lengths, strconv.Itoa(run))
	left, top = strconv.Itoa(box.Min.X), strconv.Itoa(box.Min.Y)
	width, height = strconv.Itoa(box.Dx()), strconv.Itoa(box.Dy())
	return strings.Join(lengths, ", "), left, top, width, height
}
