# GNU make 3.81 (macOS) and newer.

# A cache of this checkout's own: a shared one keeps the paths of clones that are gone.
LINT    = GOLANGCI_LINT_CACHE="$(CURDIR)/bin/lint-cache" go tool -modfile=internal/tools/go.mod golangci-lint
COMPOSE = docker compose
# The browser in which tests look at the console; empty: none.
chromium = $(shell command -v "$${CDRSTORE_CHROMIUM:-chromium}" || command -v chromium-browser || command -v google-chrome)
random  = od -An -N24 -tx1 /dev/urandom | tr -d ' \n'

.DEFAULT_GOAL := help
.PHONY: help run demo test chaos bench bench-growth check browser build generate migrate migrate-status migrate-down migrate-new psql up down go

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

run: go ## start the receiver with a Postgres of its own (or the one of DATABASE_URL)
	@go run ./cmd/cdrstore serve

demo: go ## send the running receiver simulated calls of every provider
	@go run ./cmd/cdrstore simulate

psql: go ## open psql on the receiver's database, or run sql='SELECT …' in it
	@go run ./cmd/cdrstore psql $${sql:+-c "$$sql"}

test: go ## run all tests on a temporary Postgres
	@[ -n "$(chromium)" ] || echo 'no Chromium here: the tests that look at the console in a browser are not run' >&2
	@race=-race; \
	if [ "$$(go env CGO_ENABLED)" != 1 ] || \
	   ! echo '#include <stdlib.h>' | $$(go env CC) -x c -c -o /dev/null - 2>/dev/null; then \
		race=; export CGO_ENABLED=0; echo 'no C compiler here: testing without the race detector' >&2; \
	fi; \
	go run ./internal/postgres/withpg -- go test $$race -count=1 -timeout=30m ./...

chaos: go ## kill, stall, starve and fill everything under load for some minutes and look whether anything is lost
	CDRSTORE_CHAOS=long go test -count=1 -v -timeout 15m ./internal/chaos

bench: go ## measure the receiver beside a hand-written handler and its limits; args='-json FILE'
	@go run ./internal/bench $(args)

bench-growth: go ## measure beside millions of calls, for long and with tens of GB: make bench-growth args="-calls 1000000,10000000 -dir DIR"
	go run ./internal/bench growth $(args)

check: go ## check format, code, generated code, modules and the compose file
	@files=$$(gofmt -l .); [ -z "$$files" ] || { echo "not formatted, run gofmt -w: $$files" >&2; exit 1; }
	go vet ./...
	GOOS=darwin go vet ./...
	$(LINT) run --allow-parallel-runners ./...
	go tool sqlc diff
	go mod tidy -diff
	go -C internal/tools mod tidy -diff
	go -C internal/tools vet ./...
	go run -C internal/tools ./composecheck ../../docker-compose.yml
	@if [ "$$CI" = true ]; then $(MAKE) browser; \
	else echo 'the console was not looked at in a browser: that is done on CI (CI=true), by make test where there is one, and by make browser'; fi

browser: go ## look at every page of the console in Chromium, which is installed on CI where it is missing
	@if [ -z "$(chromium)" ] && [ "$$CI" = true ]; then \
		sudo=; [ "$$(id -u)" = 0 ] || sudo='sudo -n'; \
		$$sudo apt-get -qq update && $$sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends -y chromium > /dev/null; \
	fi
	CDRSTORE_BROWSER=required go run ./internal/postgres/withpg -- go test -count=1 -run Browser ./internal/console

build: go ## build bin/cdrstore, one static program
	CGO_ENABLED=0 go build -trimpath -o bin/cdrstore ./cmd/cdrstore

generate: go ## generate db/ from migrations/ and queries/
	go tool sqlc generate

migrate: go ## apply the migrations that the database lacks
	@go run ./cmd/cdrstore migrate up

migrate-status: go ## list the migrations and when they were applied
	@go run ./cmd/cdrstore migrate status

migrate-down: go ## take the last migration back, and its data with it
	@go run ./cmd/cdrstore migrate down

migrate-new: go ## write an empty migration: make migrate-new name=add_something
	@[ -n "$(name)" ] || { echo 'usage: make migrate-new name=add_something' >&2; exit 1; }
	@go run ./cmd/cdrstore migrate new "$(name)"

up: .env ## start Postgres and the receiver in containers
	$(COMPOSE) up --detach --build --wait
	@echo "The receiver is at http://127.0.0.1:$${CDRSTORE_PORT:-8080}/hooks/SOURCE?token=…, the console at http://127.0.0.1:$${CDRSTORE_PORT:-8080}/?token=…; both tokens are in .env"

down: .env ## stop the containers; the data stays
	$(COMPOSE) down

# Secrets for the containers. What is there is never overwritten: the database keeps its first password. What a newer
# version needs besides is added.
.env: FORCE
	@umask 077; touch .env; for name in POSTGRES_PASSWORD CDRSTORE_TOKEN CDRSTORE_CONSOLE_TOKEN POSTGRES_READER_PASSWORD GRAFANA_PASSWORD; do \
		grep -q "^$$name=" .env && continue; \
		[ -z "$$(tail -c 1 .env)" ] || echo >> .env; \
		printf '%s=%s\n' "$$name" "$$($(random))" >> .env && echo "wrote $$name into .env"; \
	done

FORCE:

go:
	@wanted=$$(awk '/^go / { print $$2 }' go.mod); \
	command -v go > /dev/null || { echo "Go $$wanted or newer is needed, and there is none: https://go.dev/doc/install (macOS: brew install go)" >&2; exit 1; }; \
	said=$$(go list -m 2>&1 > /dev/null) || { echo "$$said" >&2; \
		echo "Go $$wanted or newer is needed, this is $$(GOTOOLCHAIN=local go version 2>&1): https://go.dev/doc/install (macOS: brew install go)" >&2; exit 1; }
