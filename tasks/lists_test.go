package tasks_test

import (
	"strings"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// Messages list what there is. These functions return the lists, so that
// a new provider or format changes no test.

// providerNames joins the names of the providers, with " or " before the
// last if so asked.
func providerNames(or bool) string {
	names := tasks.Providers()
	last := len(names) - 1
	separator := ", "
	if or {
		separator = " or "
	}
	return strings.Join(names[:last], ", ") + separator + names[last]
}

// readFormats and writtenFormats join the names of the formats.
func readFormats() string {
	read, _ := tasks.AnnotationFormats()
	return strings.Join(read, ", ")
}

func writtenFormats() string {
	_, written := tasks.AnnotationFormats()
	return strings.Join(written, ", ")
}
