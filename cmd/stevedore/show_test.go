package main

import (
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// A fix that is there to be pasted stands under the table, on one line.
func TestShowChecks(t *testing.T) {
	t.Parallel()
	long := "paste " + strings.Repeat(`{"AllowedOrigins":["https://app.example"]} `, 10)
	var out strings.Builder
	showChecks(&out, []tasks.Check{
		{ID: "list", Status: tasks.CheckFail, Fix: "Check the name."},
		{ID: "cors", Status: tasks.CheckFail, Code: "OriginNotAllowed", Fix: long},
	})
	table, below, _ := strings.Cut(out.String(), "\n\n")
	if !strings.Contains(table, "Check the name.") || !strings.Contains(table, "see below") || strings.Contains(table, "paste") {
		t.Errorf("the table:\n%s", table)
	}
	if below != "to do about cors:\n"+long+"\n" {
		t.Errorf("below it:\n%s", below)
	}
}
