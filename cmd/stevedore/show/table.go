package show

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// Table prints rows without lines between them. On a terminal it fits
// the width: long texts are wrapped. Wide characters count as two
// columns. Elsewhere no text is wrapped.
type Table struct {
	w       io.Writer
	columns func() int // of the terminal; nil for a file or a pipe
	header  []string
	rows    [][]string
}

// NewTable makes a table that Render writes to w.
func NewTable(w io.Writer, header ...string) *Table {
	return &Table{w: w, columns: terminal(w), header: header}
}

// Row adds a row. It removes control characters, which a terminal would
// obey.
func (t *Table) Row(cells ...any) {
	row := make([]string, len(cells))
	for i, cell := range cells {
		row[i] = printable(fmt.Sprint(cell))
	}
	t.rows = append(t.rows, row)
}

// gap is between two columns.
const gap = "  "

// Render writes the table.
func (t *Table) Render() {
	out := table.NewWriter()
	out.SetOutputMirror(t.w)
	out.SetStyle(table.StyleLight)
	style := out.Style()
	style.Options = table.OptionsNoBordersAndSeparators
	style.Format.Header = text.FormatDefault
	style.Box.PaddingLeft, style.Box.PaddingRight = "", gap
	out.SuppressTrailingSpaces()
	if t.columns != nil {
		out.SetColumnConfigs(t.fit(t.columns()))
	}
	if len(t.header) > 0 {
		out.AppendHeader(cells(t.header))
	}
	for _, row := range t.rows {
		out.AppendRow(cells(row))
	}
	out.Render()
}

func cells(row []string) (r table.Row) {
	for _, cell := range row {
		r = append(r, cell)
	}
	return r
}

// fit decides how wide each column may be. The last one gets what the
// others leave. A wide one of these gets a third of the terminal.
func (t *Table) fit(columns int) (configs []table.ColumnConfig) {
	var widths []int
	for _, row := range append(t.rows, t.header) {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], text.LongestLineLen(cell))
		}
	}
	const least, narrow = 12, 20 // a column up to narrow is not wrapped
	left := columns - 1          // a wrapped line may end with half a wide character too much
	for i, width := range widths {
		width = min(width, max(columns/3, min(narrow, columns*2/5)))
		if i == len(widths)-1 {
			width = max(left, least)
		}
		left -= width + len(gap)
		configs = append(configs, table.ColumnConfig{
			Number: i + 1, WidthMax: width, WidthMaxEnforcer: text.WrapSoft,
		})
	}
	return configs
}

// printable removes control characters, which a terminal would obey.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' {
			return -1
		}
		return r
	}, s)
}
