package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/cli"
	"github.com/stevedore-jobs/stevedore/cmd/stevedore/settings"
	"github.com/stevedore-jobs/stevedore/cmd/stevedore/show"
	"github.com/stevedore-jobs/stevedore/tasks/seal"
	"github.com/stevedore-jobs/stevedore/tasks/setting"
)

type keygenCommand struct {
	Out string `help:"File for the private key; it must not exist yet." default:"stevedore.key" placeholder:"FILE"`
}

// Run makes a pair of keys. Standard output gets only the public one,
// so that a script can take it.
func (k keygenCommand) Run(c cli.Console) error {
	key, err := seal.NewKey()
	if err != nil {
		return err
	}
	if err := writeKey(k.Out, key); err != nil {
		return err
	}
	_, errOut := fmt.Fprintln(c.Out, key.Public())
	help := fmt.Sprintf("This is the public key %s, for producers: %s.\n"+
		"The private key is in %s, for workers only: %s names the file.\n",
		key.Public().ID(), settings.Name(setting.PublicKey),
		k.Out, settings.Name(setting.PrivateKeys))
	_, errHelp := io.WriteString(c.Err, show.Wrapped(c.Err, help))
	return errors.Join(errOut, errHelp)
}

// writeKey writes a key to a new file that only its owner can read.
func writeKey(path string, key seal.PrivateKey) error {
	text, err := key.Text()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return cli.Invalid(fmt.Errorf("%s exists already, and no key is ever overwritten: "+
			"give another --out", path))
	}
	if err != nil {
		return cli.Invalid(err)
	}
	_, err = f.WriteString(text + "\n")
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// Help is shown by keygen --help.
func (keygenCommand) Help() string {
	return `
Examples:

    export STEVEDORE_PUBLIC_KEY=$(stevedore keygen --out stevedore.key)`
}
