package show

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// nonEmpty joins the texts that are not empty.
func nonEmpty(texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(s string) bool { return s == "" }), ", ")
}

// percentText returns nothing while the total is unknown.
func percentText(p tasks.Progress) string {
	if p.ObjectsTotal <= 0 {
		return ""
	}
	return fmt.Sprintf("%d%%", min(p.Objects, p.ObjectsTotal)*100/p.ObjectsTotal)
}

// countText says how many objects are done.
func countText(p tasks.Progress) string {
	switch {
	case p.ObjectsTotal > 0:
		return fmt.Sprintf("%d of %d objects", p.Objects, p.ObjectsTotal)
	case p.Objects > 0:
		return fmt.Sprintf("%d objects", p.Objects)
	}
	return ""
}

// leftOutText says how many objects are not in the job's output.
func leftOutText(p tasks.Progress) string {
	if n := p.LeftOut(); n > 0 {
		return fmt.Sprintf("%d left out", n)
	}
	return ""
}

func warningsText(p tasks.Progress) string {
	if p.Warnings > 0 {
		return fmt.Sprintf("%d with warnings", p.Warnings)
	}
	return ""
}

// rateText returns nothing while the rate is unknown.
func rateText(p tasks.Progress) string {
	switch {
	case p.Rate >= 10:
		return fmt.Sprintf("%.0f objects/s", p.Rate)
	case p.Rate > 0:
		return fmt.Sprintf("%.1f objects/s", p.Rate)
	}
	return ""
}

// leftText returns the time to the end, or nothing while it is unknown.
func leftText(p tasks.Progress) string {
	if p.ETASeconds > 0 {
		return fmt.Sprintf("%v left", time.Duration(p.ETASeconds)*time.Second)
	}
	return ""
}

// codesText counts the lines of the error list by their code, the most
// frequent first.
func codesText(codes map[string]int64) string {
	names := slices.SortedFunc(maps.Keys(codes), func(a, b string) int {
		return cmp.Or(cmp.Compare(codes[b], codes[a]), cmp.Compare(a, b))
	})
	for i, name := range names {
		names[i] = fmt.Sprintf("%d %s", codes[name], name)
	}
	return strings.Join(names, ", ")
}

// plural returns a number and a word, in the plural unless n is 1.
func plural(n int64, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}
