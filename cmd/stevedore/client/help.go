package client

// Help is shown by enqueue --help.
func (Enqueue) Help() string {
	return `
A job carries its own credentials. Those of the environment are sealed with the
public key of the workers, STEVEDORE_PUBLIC_KEY.

Examples:

    stevedore enqueue build-manifest --source s3://my-bucket/ --tenant acme
    stevedore enqueue generate-thumbnails payload.json --id import-42
    stevedore enqueue build-manifest - --priority high < payload.json`
}

// Help is shown by status --help.
func (Status) Help() string {
	return `
Examples:

    stevedore status import-42
    stevedore status import-42 --json`
}

// Help is shown by wait --help.
func (Wait) Help() string {
	return `
Examples:

    stevedore wait import-42
    stevedore wait import-42 --errors failed.jsonl`
}

// Help is shown by cancel --help.
func (Cancel) Help() string {
	return `
Examples:

    stevedore cancel import-42`
}

// Help is shown by retry --help.
func (Retry) Help() string {
	return `
Examples:

    stevedore retry import-42 --wait`
}

// Help is shown by events --help.
func (Events) Help() string {
	return `
Examples:

    stevedore events --follow
    stevedore events --job import-42
    stevedore events --follow --group billing --consumer host-1`
}
