package show

import "github.com/stevedore-jobs/stevedore/tasks"

// appendStorages adds the tenant of a job, and a row for each storage
// that its payload names.
func appendStorages(t *Table, s tasks.Status) {
	if s.Tenant != "" {
		t.Row("tenant", s.Tenant)
	}
	for _, storage := range s.Storages {
		lines := storage.URL
		if storage.DisplayName != "" {
			lines += " (" + storage.DisplayName + ")"
		}
		if storage.Description != "" {
			lines += "\n" + storage.Description
		}
		t.Row(storage.Field, lines)
	}
}
