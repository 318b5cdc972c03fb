package show

import (
	"strings"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// appendStorages adds the tenant of a job, and a row for each storage
// that its payload names.
func appendStorages(t table.Writer, s tasks.Status) {
	if s.Tenant != "" {
		t.AppendRow(table.Row{"tenant", printable(s.Tenant)})
	}
	for _, storage := range s.Storages {
		lines := storage.URL
		if storage.DisplayName != "" {
			lines += " (" + storage.DisplayName + ")"
		}
		if storage.Description != "" {
			lines += "\n" + storage.Description
		}
		t.AppendRow(table.Row{storage.Field, printable(lines)})
	}
}

// printable removes control characters, which a terminal would obey.
// The payload of a job that no worker has begun may not be valid.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' {
			return -1
		}
		return r
	}, text)
}
