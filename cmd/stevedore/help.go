package main

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/cli"
)

// helpCommand is the same as the flag --help.
type helpCommand struct {
	Command []string `arg:"" optional:"" help:"Command to explain; all by default."`
}

// Run prints the help.
func (h helpCommand) Run(parsed *kong.Context) error {
	of, err := kong.Trace(parsed.Kong, h.Command)
	if err == nil {
		err = of.Error
	}
	if err != nil {
		return cli.Invalid(err)
	}
	return of.PrintUsage(false)
}

// description is the text at the top of the help. It ends with the exit
// codes, indented so that each keeps its line.
func description() string {
	text := "Jobs for labelling tools, run on the bucket that holds the images. " +
		"Settings come from the environment: see the README.\n\nExit codes:\n\n"
	for _, code := range cli.ExitCodes() {
		text += fmt.Sprintf("  %3d  %s\n", int(code), strings.ReplaceAll(code.String(), "`", ""))
	}
	return text
}
