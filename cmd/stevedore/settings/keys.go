package settings

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/stevedore-jobs/stevedore/tasks/seal"
)

// publicKey reads the key that producers seal secrets to. It may be
// empty.
func publicKey(into *seal.PublicKey) reader {
	return func(value string) (err error) {
		if value != "" {
			*into, err = seal.ParsePublicKey(value)
		}
		return err
	}
}

// keyRing reads private keys. Each is given by its file, or by the
// variable that holds it, env:NAME. It reports everything that is wrong
// with them.
func keyRing(into *seal.Ring, vars map[string]string) reader {
	return func(value string) error {
		var keys []seal.PrivateKey
		var faults []error
		for _, source := range items(value) {
			k, err := privateKey(source, vars)
			if err != nil {
				faults = append(faults, err)
				continue
			}
			keys = append(keys, k)
		}
		*into = seal.NewRing(keys...)
		return errors.Join(faults...)
	}
}

// keyEnd matches a text that ends like a private key. The beginning of
// the key may have been lost.
var keyEnd = regexp.MustCompile(`(^|:)[A-Za-z0-9_-]{43}$`)

var errKeyItself = errors.New("it must name files or env:NAME, and must not hold a key itself")

func privateKey(source string, vars map[string]string) (seal.PrivateKey, error) {
	if seal.IsPrivateKey(source) {
		return seal.PrivateKey{}, errKeyItself
	}
	name, isVariable := strings.CutPrefix(source, "env:")
	text := vars[name]
	switch {
	case isVariable && text == "":
		return seal.PrivateKey{}, fmt.Errorf("%s: the variable is not set, or is empty", source)
	case !isVariable:
		data, err := os.ReadFile(source)
		if err != nil && keyEnd.MatchString(source) {
			return seal.PrivateKey{}, errKeyItself // the error of the file would show it
		}
		if err != nil {
			return seal.PrivateKey{}, err
		}
		text = string(data)
	}
	k, err := seal.ParsePrivateKey(text)
	if err != nil {
		return k, fmt.Errorf("%s: %w", source, err)
	}
	return k, nil
}
