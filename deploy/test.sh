#!/usr/bin/env bash
# The one test command. It installs what the tests need, starts the emulated
# clouds, runs the checks and stops what it started. It continues after a
# failed check: one run shows everything that is wrong.
set -euo pipefail

usage() {
	cat <<'TEXT'
usage: deploy/test.sh [MODE]

Without a mode it runs every check: formatting, vet, size limits, lint, and all tests with the
race detector against real Redis servers and emulated clouds. That is what continuous
integration runs. It needs about ten minutes on two cores.

Modes:
  --quick    formatting, vet, size limits and the short tests. They start no Redis server and
             no emulator, so nothing is installed. Under a minute when the build cache is warm.
  --lint     formatting, vet, size limits, golangci-lint and shellcheck. No tests.
  --bench    the benchmarks of deploy/bench/README.md. Takes about half an hour; use an idle
             machine.
  --chaos    the chaos tests in full: a million objects while workers and Redis are killed, also
             the masters of a cluster and of a sentinel; an object that kills its workers; and
             stores that list in each order of keys. Takes about half an hour. A short form is
             part of the tests.
  --chaos --order ORDER
             only stores that list in this order: bytes, utf-16, directories, directories-utf-16
  --peers    the four jobs on S3 servers of other projects: MinIO, SeaweedFS and moto. The first
             run builds them, which takes about ten minutes and 3 GB of disk.
  --oracles  only the tests that compare our results with the libraries that CVAT uses: Pillow
             and natsort, in the versions of deploy/oracles/requirements.txt. They are part of a
             run without a mode too.
  --hostile [PATTERN]
             a server that does something wrong on purpose: each of its behaviours against each
             kind of job on each cloud, in workers with a small memory budget. Ends with a table.
             Takes about twenty minutes on an idle machine; on a busy one it fails. With
             PATTERN, a regular expression, only cells whose name matches, for example
             s3/build-manifest/list/endless. One cell of each behaviour is part of the tests.
  --fuzz [TIME [TARGET]]
             every fuzz target for TIME, one after the other: for example 30s, 10m or 5000x; 1m by
             default. With TARGET only those targets whose name has TARGET in it, for example
             FuzzMask, or formats/coco.Fuzz. Ends with a table. An input that makes a target fail
             stays in its testdata/fuzz, so that all later tests run it.
  --no-lint  every check but golangci-lint and shellcheck
  --help     this text

Missing programs are installed when the script runs as root on Debian; otherwise it names them.
Exit code: 0 if all checks passed, 1 if one failed, 2 for a wrong argument.
TEXT
}

mode=all
case ${1-} in
"") ;;
--quick | --lint | --bench | --chaos | --peers | --oracles | --hostile | --fuzz | --no-lint) mode=${1#--} ;;
-h | --help) usage && exit 0 ;;
*) usage >&2 && exit 2 ;;
esac
order= # of keys, for --chaos; empty for each
if [[ $mode == chaos && ${2-} == --order && -n ${3-} ]]; then
	order=$3
	set -- "$1"
fi
hostile=all # cells to run, for --hostile
if [[ $mode == hostile && -n ${2-} ]]; then
	hostile=$2
	(($# > 2)) || set -- "$1"
fi
fuzz_time=1m
fuzz_target= # part of the names of the targets to run; empty for all
if [[ $mode == fuzz ]]; then
	fuzz_time=${2-$fuzz_time} fuzz_target=${3-}
	[[ $fuzz_time =~ ^([0-9]+x|([0-9.]+[hms])+)$ ]] || { usage >&2 && exit 2; }
	(($# > 3)) || set -- "$1"
fi
(($# <= 1)) || { usage >&2 && exit 2; }

cd "$(dirname "${BASH_SOURCE[0]}")/.."
lint_version=v2.15.0
azurite_version=3.35.0 # newer versions need a newer Node.js than Debian has
cache=${XDG_CACHE_HOME:-$HOME/.cache}/stevedore
golangci=$cache/bin/golangci-lint-$lint_version/golangci-lint
azurite=$cache/azurite-$azurite_version

# Peers: S3 servers of other projects. Only --peers needs them.
minio_version=v0.0.0-20260212201848-7aac2a2c5b7c     # the last one: the project has ended
seaweedfs_version=v0.0.0-20261109003541-7506e5f91cd6 # of 2026-11-09
moto_version=5.2.5
peers=$cache/peers
minio=$peers/minio-$minio_version
weed=$peers/weed-$seaweedfs_version
moto=$peers/moto-$moto_version

# Python libraries whose results the tests compare with ours. Other versions get another folder.
oracles_file=deploy/oracles/requirements.txt
oracles=$cache/oracles-$(cksum <"$oracles_file" | cut -d ' ' -f 1)

modules=(deploy/emulators) # Go modules beside the main one
for file in deploy/examples/*/go.mod; do
	[[ ! -e $file ]] || modules+=("$(dirname "$file")")
done

work=$(mktemp -d)
servers=() # process IDs of what the script started
policy=    # file that keeps new packages from starting services, while it exists
preparing= # what is being prepared; a failure there ends the run
failed=()  # names of failed checks

# --- running checks -----------------------------------------------------------

prepare() { # prepare NAME COMMAND...
	local start=$SECONDS
	preparing=$1
	printf '\n== %s\n' "$1"
	"${@:2}"
	printf -- '-- ready, %d s\n' $((SECONDS - start))
	preparing=
}

check() { # check NAME COMMAND...; set -e has no effect inside COMMAND
	local start=$SECONDS result=ok
	printf '\n== %s\n' "$1"
	"${@:2}" || { result=FAILED && failed+=("$1"); }
	printf -- '-- %s: %s, %d s\n' "$1" "$result" $((SECONDS - start))
}

finish() { # runs when the script ends, for whatever reason
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

# --- preparing ----------------------------------------------------------------

install_packages() { # install_packages PROGRAM=PACKAGE...; installs the packages of missing programs
	local pair packages=()
	command -v go >/dev/null || {
		echo "Go is missing. Install the version that go.mod names from https://go.dev/dl" >&2
		return 1
	}
	for pair; do
		command -v "${pair%%=*}" >/dev/null || packages+=("${pair#*=}")
	done
	((${#packages[@]} == 0)) || apt_install "${packages[@]}"
}

apt_install() { # apt_install PACKAGE...
	if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
		echo "Programs are missing. Install these packages: $*" >&2
		return 1
	fi

	# The tests start servers of their own: no service may start with its package.
	if [[ ! -e /usr/sbin/policy-rc.d ]]; then
		policy=/usr/sbin/policy-rc.d
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod +x "$policy"
	fi
	apt-get update -q
	DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "$@"
}

install_lint() {
	[[ -x $golangci ]] ||
		GOBIN=$(dirname "$golangci") go install "github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$lint_version"
}

install_azurite() {
	[[ ! -e $azurite/installed ]] || return 0
	npm install --prefix "$azurite" --no-audit --no-fund --no-package-lock "azurite@$azurite_version"
	touch "$azurite/installed"
}

# install_peer builds a program of another Go module with the versions that
# that module's own go.mod names. "go install" refuses some of these modules.
install_peer() { # install_peer PROGRAM MODULE VERSION PACKAGE
	local dir
	[[ ! -x $1 ]] || return 0
	dir=$(go mod download -json "$2@$3" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
	mkdir -p "$peers"
	go build -C "$dir" -mod=readonly -o "$1.new" "$4"
	mv "$1.new" "$1"
}

install_moto() {
	[[ ! -e $moto/installed ]] || return 0
	python3 -m venv "$moto"
	"$moto/bin/pip" install --quiet "moto[s3,server]==$moto_version"
	touch "$moto/installed"
}

# install_oracles makes a Python environment. Debian's python3 cannot make one without
# python3-venv.
install_oracles() {
	export STEVEDORE_TEST_PYTHON=$oracles/bin/python
	[[ ! -e $oracles/installed ]] || return 0
	python3 -c 'import ensurepip' 2>/dev/null || apt_install python3-venv
	rm -rf "$oracles"
	python3 -m venv "$oracles"
	"$oracles/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: -r "$oracles_file"
	touch "$oracles/installed"
}

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

start_minio() {
	minio_port=$(free_port)
	MINIO_ROOT_USER=peer MINIO_ROOT_PASSWORD=peer-secret MINIO_BROWSER=off MINIO_UPDATE=off \
		"$minio" server --quiet --address "127.0.0.1:$minio_port" "$work/minio" >"$work/minio.log" 2>&1 &
	servers+=($!)
	await MinIO "$work/minio.log" curl -fso /dev/null "http://127.0.0.1:$minio_port/minio/health/ready"
}

start_seaweedfs() {
	seaweedfs_port=$(free_port)
	mkdir -p "$work/weed"
	cat >"$work/weed/s3.json" <<-'JSON'
		{"identities": [{"name": "peer", "actions": ["Admin", "Read", "Write", "List", "Tagging"],
		  "credentials": [{"accessKey": "peer", "secretKey": "peer-secret"}]}]}
	JSON
	local ports=() server
	for server in master volume filer; do
		ports+=("-$server.port" "$(free_port)" "-$server.port.grpc" "$(free_port)")
	done
	# Without -master.telemetry=false it calls a host on the Internet.
	"$weed" -logtostderr server -ip 127.0.0.1 -ip.bind 127.0.0.1 -dir "$work/weed" "${ports[@]}" \
		-master.telemetry=false -volume.max 20 \
		-s3 -s3.port "$seaweedfs_port" -s3.port.grpc "$(free_port)" \
		-s3.port.iceberg 0 -s3.port.lance 0 -s3.config "$work/weed/s3.json" >"$work/weed.log" 2>&1 &
	servers+=($!)
	await SeaweedFS "$work/weed.log" grep -qs 'Start Seaweed S3 API Server' "$work/weed.log"
}

start_moto() {
	moto_port=$(free_port)
	"$moto/bin/moto_server" -H 127.0.0.1 -p "$moto_port" >"$work/moto.log" 2>&1 &
	servers+=($!)
	await moto "$work/moto.log" grep -qs 'Running on' "$work/moto.log"
}

# make_peer_buckets makes two buckets on each server, one of which keeps old
# versions, and writes the list of servers that the tests read.
make_peer_buckets() {
	export STEVEDORE_TEST_PEERS=$work/peers.json
	"$moto/bin/python" - "MinIO=$minio_port" "SeaweedFS=$seaweedfs_port" "moto=$moto_port" <<-'PYTHON' >"$STEVEDORE_TEST_PEERS"
		import json, sys
		import boto3

		peers = []
		for arg in sys.argv[1:]:
		    name, port = arg.split("=")
		    endpoint = f"http://127.0.0.1:{port}"
		    s3 = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1",
		                      aws_access_key_id="peer", aws_secret_access_key="peer-secret")
		    s3.create_bucket(Bucket="plain")
		    s3.create_bucket(Bucket="versioned")
		    s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
		    peers.append({"name": name, "endpoint": endpoint, "access_key_id": "peer",
		                  "secret_access_key": "peer-secret", "buckets": ["plain", "versioned"],
		                  "anyone": name == "moto"})
		print(json.dumps(peers))
	PYTHON
}

start_emulators() {
	go build -C deploy/emulators -o "$cache/bin/emulators" .
	"$cache/bin/emulators" --env-file "$work/env" >"$work/emulators.log" 2>&1 &
	servers+=($!)
	await "The emulators" "$work/emulators.log" test -s "$work/env"
	# shellcheck disable=SC1091 # written by the emulators
	source "$work/env"
}

start_azurite() {
	# Port 0: the system chooses a free port, and Azurite prints it.
	node "$azurite/node_modules/azurite/dist/src/blob/main.js" --blobHost 127.0.0.1 --blobPort 0 \
		--silent --inMemoryPersistence --disableTelemetry --skipApiVersionCheck >"$work/azurite.log" 2>&1 &
	servers+=($!)
	await Azurite "$work/azurite.log" grep -q 'successfully listens on' "$work/azurite.log"

	# Microsoft publishes this account and key: every Azurite has them.
	export STEVEDORE_TEST_AZURE_ACCOUNT=devstoreaccount1
	export STEVEDORE_TEST_AZURE_KEY=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==
	STEVEDORE_TEST_AZURE_ENDPOINT=$(sed -n 's/.*successfully listens on //p' "$work/azurite.log")/$STEVEDORE_TEST_AZURE_ACCOUNT
	export STEVEDORE_TEST_AZURE_ENDPOINT
}

await() { # await NAME LOG COMMAND...; waits for the server that was started last until COMMAND succeeds
	local deadline=$((SECONDS + 60))
	until "${@:3}"; do
		if ! kill -0 "${servers[-1]}" 2>/dev/null || ((SECONDS > deadline)); then
			printf '%s did not start. Its output:\n' "$1" >&2
			cat "$2" >&2
			return 1
		fi
		sleep 0.05
	done
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

# --- checks -------------------------------------------------------------------

formatted() {
	local files
	files=$(gofmt -l .) || return 1
	[[ -z $files ]] || { printf 'not formatted:\n%s\n' "$files" && return 1; }
}

shell_scripts() { # by their first line, so that scripts without .sh count too
	git ls-files -z | xargs -0 grep -lE '^#!.*\b(ba)?sh$' | xargs shellcheck
}

static_checks() {
	check "gofmt" formatted
	check "go vet" go vet ./...
	check "limits" go run ./deploy/limits
}

lint_checks() {
	local module
	check "golangci-lint" "$golangci" run --allow-parallel-runners
	for module in "${modules[@]}"; do
		check "golangci-lint, $module" lint_module "$module"
	done
	check "shellcheck" shell_scripts
}

lint_module() { (cd "$1" && "$golangci" run --allow-parallel-runners); }

module_checks() {
	local module
	for module in "${modules[@]}"; do
		check "go vet, $module" go vet -C "$module" ./...
		check "go test, $module" go test -C "$module" ./... # without -race: only the product needs it
		[[ $module != deploy/examples/* ]] || check "go run, $module" go run -C "$module" .
	done
}

# benchmarks runs each go test command that deploy/bench/README.md lists.
benchmarks() {
	local command commands
	mapfile -t commands < <(sed -n '/^go test /{s/ *#.*//;p}' deploy/bench/README.md)
	check "commands in deploy/bench/README.md" test "${#commands[@]}" -gt 0
	for command in "${commands[@]}"; do
		check "${command#go test }" benchmark "$command"
	done
}

benchmark() { # benchmark COMMAND; a command that finds nothing to run is a failure too
	# shellcheck disable=SC2086 # the words of the command
	eval "$1" | tee "$work/bench.log" && grep -qE '^(Benchmark|--- PASS)' "$work/bench.log"
}

# chaos runs without the race detector, which would slow a million objects down by ten.
chaos() {
	STEVEDORE_CHAOS=full go test -count 1 -v -timeout 80m -parallel 1 \
		-run 'TestChaos|TestKillerObject|TestRecovery_|TestManyObjects' -skip TestChaosOrders ./worker | tee "$work/chaos.log" &&
		grep -q '^--- PASS: TestChaos' "$work/chaos.log"
}

# chaos_orders runs all jobs on stores that list in each order of keys, and chaos on these stores.
chaos_orders() {
	STEVEDORE_CHAOS=full STEVEDORE_CHAOS_ORDER=$order go test -count 1 -v -timeout 30m \
		-run 'TestJobsInEachOrder|TestChaosOrders' ./cmd/stevedore ./worker | tee "$work/chaos.log" &&
		grep -q '^--- PASS: TestJobsInEachOrder' "$work/chaos.log" &&
		grep -q '^--- PASS: TestChaosOrders' "$work/chaos.log"
}

# oracle_tests runs the tests that compare with Python libraries. A failed search, or none found,
# is a failure too.
oracle_tests() {
	local folders
	mapfile -t folders < <(git grep --untracked -lE '^func TestOracle' -- '*_test.go' | xargs -n 1 dirname | sort -u)
	((${#folders[@]})) || { echo "there is no test whose name begins with TestOracle" && return 1; }
	go test -count 1 -v -run '^TestOracle' "${folders[@]/#/./}"
}

hostile_servers() {
	STEVEDORE_HOSTILE=$hostile go test -count 1 -v -timeout 60m ./cmd/stevedore/hostile
}

# fuzz runs the fuzz targets of the module in turn, and ends with a table.
fuzz() {
	local file name target begun row status=0 log=$work/fuzz.log table=$work/fuzz.table
	printf 'target\tseconds\texecutions\tnew inputs\toutcome\n' >"$table"
	while IFS=: read -r file name; do
		file=$(dirname "$file") && target=$file.$name
		[[ $target == *"$fuzz_target"* ]] || continue
		printf '\n-- %s\n' "$target"
		begun=$SECONDS row=ok
		# By default go makes each new input smaller for up to a minute.
		go test -run '^$' -fuzz "^$name\$" -fuzztime "$fuzz_time" -fuzzminimizetime 2s "./$file" 2>&1 |
			tee "$log" || { row=FAILED && status=1; }
		printf '%s\t%d\t%s\t%s\t%s\n' "$target" $((SECONDS - begun)) \
			"$(last_count 'execs: ' "$log")" "$(last_count 'new interesting: ' "$log")" "$row" >>"$table"
	done < <(git grep --untracked -noE '^func Fuzz\w+' -- '*_test.go' ':!deploy/examples' ':!deploy/emulators' |
		sed 's/:[0-9]*:func /:/')
	printf '\n' && column -t -s $'\t' "$table"
	(($(wc -l <"$table") > 1)) || { echo "no fuzz target has \"$fuzz_target\" in its name" && return 1; }
	return "$status"
}

# last_count prints the last number after TEXT in a log of go test -fuzz, or 0.
last_count() { # last_count TEXT LOG
	sed -n "s/^fuzz: .*$1\([0-9]*\).*/\1/p" "$2" | tail -n 1 | grep . || echo 0
}

# --- the run ------------------------------------------------------------------

trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

redis="redis-server=redis-server" # as install_packages takes it
case $mode in
quick)
	unset REQUIRE_SERVICES
	prepare "packages" install_packages
	static_checks
	check "go test -short" go test -short ./...
	;;
lint)
	prepare "packages" install_packages shellcheck=shellcheck
	prepare "golangci-lint $lint_version" install_lint
	static_checks
	lint_checks
	;;
bench)
	prepare "packages" install_packages "$redis"
	export REQUIRE_SERVICES=1
	benchmarks
	;;
chaos)
	prepare "packages" install_packages "$redis"
	export REQUIRE_SERVICES=1
	[[ -n $order ]] || check "chaos" chaos
	check "stores of each order${order:+: $order}" chaos_orders
	;;
hostile)
	prepare "packages" install_packages "$redis" python3=python3
	prepare "emulated clouds" start_emulators
	export REQUIRE_SERVICES=1
	check "hostile servers" hostile_servers
	;;
fuzz)
	prepare "packages" install_packages git=git column=bsdextrautils
	check "fuzz targets, $fuzz_time each" fuzz
	;;
oracles)
	prepare "packages" install_packages git=git python3=python3-venv
	prepare "Python libraries of CVAT" install_oracles
	export REQUIRE_SERVICES=1
	check "results of Pillow and natsort" oracle_tests
	;;
peers)
	prepare "packages" install_packages "$redis" curl=curl python3=python3-venv
	prepare "MinIO" install_peer "$minio" github.com/minio/minio "$minio_version" .
	prepare "SeaweedFS" install_peer "$weed" github.com/seaweedfs/seaweedfs "$seaweedfs_version" ./weed
	prepare "moto $moto_version" install_moto
	prepare "MinIO's server" start_minio
	prepare "SeaweedFS' server" start_seaweedfs
	prepare "moto's server" start_moto
	prepare "their buckets" make_peer_buckets
	check "jobs on the peers" go test -count 1 -v -timeout 20m -run TestPeers ./cmd/stevedore
	;;
*)
	packages=("$redis" gcc=gcc gcc=libc6-dev node=nodejs npm=npm python3=python3 ffprobe=ffmpeg) # gcc links the race detector
	if [[ $mode == all ]]; then
		prepare "packages" install_packages "${packages[@]}" shellcheck=shellcheck
		prepare "golangci-lint $lint_version" install_lint
	else
		prepare "packages" install_packages "${packages[@]}"
	fi
	prepare "Azurite $azurite_version" install_azurite
	prepare "Python libraries of CVAT" install_oracles
	prepare "emulated clouds" start_emulators
	prepare "emulated Azure" start_azurite

	export REQUIRE_SERVICES=1
	static_checks
	[[ $mode != all ]] || lint_checks
	check "go test" go test -race ./...
	module_checks
	;;
esac

((${#failed[@]} == 0))
