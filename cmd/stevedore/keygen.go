package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/stevedore-jobs/stevedore/tasks/seal"
)

type keygenCommand struct {
	Out string `help:"File for the private key; it must not exist yet." default:"stevedore.key" placeholder:"FILE"`
}

// Run makes a pair of keys. The public one alone goes to standard output, so
// that a script can take it.
func (k keygenCommand) Run(c console) error {
	key, err := seal.NewKey()
	if err != nil {
		return err
	}
	if err := writeKey(k.Out, key); err != nil {
		return err
	}
	_, err = fmt.Fprintln(c.out, key.Public())
	_, told := fmt.Fprintf(c.err, "This is the public key %s, for producers: STEVEDORE_PUBLIC_KEY.\n"+
		"The private key is in %s, for workers alone: STEVEDORE_PRIVATE_KEYS names the file.\n", key.Public().ID(), k.Out)
	return errors.Join(err, told)
}

// writeKey writes a key to a new file that its owner alone can read.
func writeKey(path string, key seal.PrivateKey) error {
	text, err := key.Text()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return invalid(fmt.Errorf("%s is there already: no key is ever overwritten; give another --out", path))
	}
	if err != nil {
		return invalid(err)
	}
	_, err = f.WriteString(text + "\n")
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}
