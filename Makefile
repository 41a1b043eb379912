# What CI runs is what you run: `make test` is all of it.

# Stories that are told again with the four services in a process each.
APART = go_kv hvac host_killed kill_under_load degraded durability postgresql seal mounts traces marked

# Stories that can be told at length.
LONG = crowd rounds swap_race durability cut_off tokens l7_ g3_ upgrade many_mounts chaos

.PHONY: help build run test check reference fmt unit e2e e2e-apart e2e-docker programs plugins clients manifests soak fuzz bench image

help: ## what can be made
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

build: ## everything, optimised
	cargo build --release --workspace --bins --exclude stories

run: ## a server with a first plugin, ready to try
	deploy/run-demo

test: check unit e2e e2e-apart e2e-docker manifests ## everything that CI runs

check: ## format, lints, licences, and that what is promised is tested
	cargo fmt --check
	.ci/invariants
	cargo clippy --workspace --all-targets --locked -- -D warnings
	.ci/deny

reference: ## the end of docs/configuration.md, as the code has it
	sed -i '/^<!-- `make reference`/q' docs/configuration.md
	cargo run --locked -q -p mortise -- reference >> docs/configuration.md

fmt: ## format
	cargo fmt

unit: ## the tests of each crate
	cargo test --workspace --exclude stories --locked --no-fail-fast

e2e: programs plugins clients ## the stories
	cargo test -p stories --locked -- --skip containers::

e2e-apart: programs plugins clients ## some of the stories, with a process for each service
	MORTISE_TEST_FORM=apart cargo test -p stories --locked -- $(APART)

manifests: programs ## the Helm chart and the kustomize overlays
	tests/kubernetes/run

e2e-docker: programs ## the image and docker-compose.yml, on a Docker engine of their own; takes root
	cargo test -p stories --locked -- containers::

programs: ## what the stories start
	cargo build --workspace --bins --locked

plugins: ## the Go plugins that the stories run
	tests/plugins/build

clients: ## the Python client that one story uses
	tests/clients/prepare

image: ## the container image `mortise`, compiled in a container; takes Docker with BuildKit
	DOCKER_BUILDKIT=1 docker build --file deploy/docker/Dockerfile --tag $(or $(MORTISE_IMAGE),mortise) \
		--build-arg VERSION=$$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml) \
		--build-arg REVISION=$$(git rev-parse HEAD) --build-arg SOURCE=$(or $(SOURCE),unknown) .

soak: programs plugins ## the long stories, at full length
	MORTISE_TEST_SOAK=1 cargo test -p stories --locked -- --nocapture $(LONG)
	MORTISE_TEST_SOAK=1 cargo test -p domain --locked --test acl_model

fuzz: ## each fuzz target for FUZZ_SECONDS, ten minutes by default; takes a nightly compiler
	fuzz/run

bench: ## requests a second, latency, and what each hop costs
	cargo build --release --workspace --bins --locked
	cargo run --release -p bench
