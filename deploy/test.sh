#!/usr/bin/env bash
# The one test command: prepares what the tests need, starts the emulated clouds, runs every check, and stops what it
# started. It goes on after a failed check, so that one run shows everything that is wrong.
set -euo pipefail

usage() {
	cat <<'TEXT'
usage: deploy/test.sh [--no-lint] [--short]
       deploy/test.sh --chaos

Checks formatting, vet, lint and all tests with the race detector, against real Redis servers and emulated clouds.
Missing programs are installed when run as root on Debian.

  --no-lint  leave golangci-lint out
  --short    pass -short to go test
  --chaos    run nothing but the chaos tests, in full: a million objects while workers and Redis are killed, and an object
             that kills its workers. Takes minutes; the run without it has a short form
TEXT
}

lint=yes
chaos=no
flags=(-race)
for argument; do
	case $argument in
	--no-lint) lint=no ;;
	--short) flags+=(-short) ;;
	--chaos) chaos=yes ;;
	-h | --help) usage && exit 0 ;;
	*) usage >&2 && exit 2 ;;
	esac
done

cd "$(dirname "${BASH_SOURCE[0]}")/.."
lint_version=v2.15.0
cache=${XDG_CACHE_HOME:-$HOME/.cache}/stevedore/bin
golangci=$cache/golangci-lint-$lint_version/golangci-lint
azurite_version=3.35.0 # later ones need a newer Node.js than Debian has
azurite=$(dirname "$cache")/azurite-$azurite_version
work=$(mktemp -d)
servers=() # process IDs
policy=    # the file that keeps new packages from starting services, while it is there
preparing= # the preparation under way; a failure there ends the run
failed=()  # checks that failed

finish() {
	local status=$?
	stop_servers
	rm -rf "$work" ${policy:+"$policy"}
	if [[ -n $preparing ]]; then
		printf '\nFAILED while preparing: %s\n' "$preparing" >&2
	elif ((${#failed[@]})); then
		printf '\nFAILED:%s (%d s in all)\n' "$(printf ' [%s]' "${failed[@]}")" "$SECONDS" >&2
	elif ((status == 0)); then
		printf '\nAll checks passed (%d s in all).\n' "$SECONDS"
	fi
	exit "$status"
}

stop_servers() {
	local deadline=$((SECONDS + 10)) server
	((${#servers[@]})) || return 0
	kill "${servers[@]}" 2>/dev/null || true
	for server in "${servers[@]}"; do
		while kill -0 "$server" 2>/dev/null && ((SECONDS < deadline)); do sleep 0.05; done
		kill -KILL "$server" 2>/dev/null || true
		wait "$server" 2>/dev/null || true
	done
}

await() { # await NAME LOG COMMAND...; waits for the last server that was started
	local deadline=$((SECONDS + 60))
	until "${@:3}"; do
		if ! kill -0 "${servers[-1]}" 2>/dev/null || ((SECONDS > deadline)); then
			printf '%s did not get ready. Its output:\n' "$1" >&2
			cat "$2" >&2
			return 1
		fi
		sleep 0.05
	done
}

prepare() { # prepare NAME COMMAND...
	local start=$SECONDS
	preparing=$1
	printf '\n== %s\n' "$1"
	"${@:2}"
	printf -- '-- ready, %d s\n' $((SECONDS - start))
	preparing=
}

check() { # check NAME COMMAND...; functions given here must not count on set -e
	local start=$SECONDS verdict=ok
	printf '\n== %s\n' "$1"
	"${@:2}" || { verdict=FAILED && failed+=("$1"); }
	printf -- '-- %s: %s, %d s\n' "$1" "$verdict" $((SECONDS - start))
}

install_packages() {
	local packages=()
	command -v go >/dev/null || { echo "Go is missing: install the version that go.mod names from https://go.dev/dl" >&2 && return 1; }
	command -v redis-server >/dev/null || packages+=(redis-server)
	if [[ $chaos == no ]]; then
		command -v gcc >/dev/null || packages+=(gcc libc6-dev) # the race detector links with it
		command -v node >/dev/null || packages+=(nodejs)       # Azurite runs on it
		command -v npm >/dev/null || packages+=(npm)
	fi
	((${#packages[@]})) || return 0
	if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
		echo "Missing programs; install these packages: ${packages[*]}" >&2
		return 1
	fi
	# Tests start servers of their own, so no service may start with the package.
	if [[ ! -e /usr/sbin/policy-rc.d ]]; then
		policy=/usr/sbin/policy-rc.d
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod +x "$policy"
	fi
	apt-get update -q
	DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${packages[@]}"
}

install_lint() {
	[[ -x $golangci ]] || GOBIN=$(dirname "$golangci") go install "github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$lint_version"
}

install_azurite() {
	[[ ! -e $azurite/installed ]] || return 0
	npm install --prefix "$azurite" --no-audit --no-fund --no-package-lock "azurite@$azurite_version"
	touch "$azurite/installed"
}

start_emulators() {
	mkdir -p "$cache"
	go build -C deploy/emulators -o "$cache/emulators" .
	"$cache/emulators" --env-file "$work/env" >"$work/emulators.log" 2>&1 &
	servers+=($!)
	await "The emulators" "$work/emulators.log" test -s "$work/env" # it appears whole, once everything answers
	# shellcheck disable=SC1091 # written by the emulators
	source "$work/env"
}

start_azurite() {
	# The system chooses the port, and Azurite says which: nobody else can take it in between.
	node "$azurite/node_modules/azurite/dist/src/blob/main.js" --blobHost 127.0.0.1 --blobPort 0 \
		--silent --inMemoryPersistence --disableTelemetry --skipApiVersionCheck >"$work/azurite.log" 2>&1 &
	servers+=($!)
	await Azurite "$work/azurite.log" grep -q 'successfully listens on' "$work/azurite.log"
	# The account and its key are published by Microsoft for every Azurite there is.
	export STEVEDORE_TEST_AZURE_ACCOUNT=devstoreaccount1
	export STEVEDORE_TEST_AZURE_KEY=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==
	STEVEDORE_TEST_AZURE_ENDPOINT=$(sed -n 's/.*successfully listens on //p' "$work/azurite.log")/$STEVEDORE_TEST_AZURE_ACCOUNT
	export STEVEDORE_TEST_AZURE_ENDPOINT
}

formatted() {
	local files
	files=$(gofmt -l .) || return 1
	[[ -z $files ]] || { printf 'not formatted:\n%s\n' "$files" && return 1; }
}

# The race detector is left out: it would slow a million objects down by ten, and the short form runs with it.
rage() { STEVEDORE_CHAOS=full go test -count 1 -v -timeout 30m -run 'TestChaos|TestKillerObject|TestRecovery_' ./worker; }

trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

prepare "packages" install_packages
export REQUIRE_SERVICES=1
if [[ $chaos == yes ]]; then
	check "chaos" rage
	((${#failed[@]} == 0))
	exit
fi
[[ $lint == no ]] || prepare "golangci-lint $lint_version" install_lint
prepare "Azurite $azurite_version" install_azurite
prepare "emulated clouds" start_emulators
prepare "emulated Azure" start_azurite

check "gofmt" formatted
check "go vet" go vet ./...
[[ $lint == no ]] || check "golangci-lint" "$golangci" run --allow-parallel-runners
check "go test" go test "${flags[@]}" ./...
check "go vet, emulators" go vet -C deploy/emulators ./...
check "go test, emulators" go test -C deploy/emulators "${flags[@]}" ./...

((${#failed[@]} == 0))
