# Every target does its own set-up, may be repeated, and fails with a sentence that says what to do.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PYTHONPATH := $(CURDIR):$(CURDIR)/functions:$(CURDIR)/layers/common/python

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | awk -F'\t' '{printf "  make %-16s %s\n", $$1, $$2}'

# ---- set-up ---------------------------------------------------------------------------------------------------------

$(VENV)/.installed: requirements/dev.lock scripts/set_up.sh
	@bash scripts/set_up.sh "$(PYTHON)" $(VENV)

.PHONY: setup
setup: $(VENV)/.installed ## Create the virtual environment from the locked requirements

.PHONY: lock
lock: setup ## Resolve requirements/*.in again into their lock files
	@for name in runtime dev ministack sam container audit; do echo "locking $$name"; \
	  $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-header --no-annotate requirements/$$name.in -o requirements/$$name.lock; done

# ---- checks ---------------------------------------------------------------------------------------------------------

.PHONY: lint
lint: setup
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/basedpyright --warnings

.PHONY: format
format: setup ## Format and fix what can be fixed by itself
	@$(BIN)/ruff check --fix -q . ; $(BIN)/ruff format -q .

.PHONY: check
check: lint check-openapi check-template ## Lint, types, architecture rules, API document, template
	@$(BIN)/python -m pytest tests/architecture tests/scripts

.PHONY: licences
licences: setup ## List what is shipped with its licences, and write the bill of materials to .local/sbom.json
	@mkdir -p .local && $(BIN)/python -m scripts.list_packages --sbom .local/sbom.json

.PHONY: audit
audit: setup ## Compare the locked packages with the lists of known faults (ARGS="--service osv --strict")
	@bash scripts/audit.sh $(ARGS)

# ---- API document ---------------------------------------------------------------------------------------------------

.PHONY: openapi
openapi: setup ## Write openapi.json and openapi.staff.json from the routes
	@$(BIN)/python -m scripts.build_openapi

.PHONY: check-openapi
check-openapi: setup ## Compare the documents with the routes, validate and lint them
	@$(BIN)/python -m scripts.build_openapi --check
	@$(BIN)/python -m openapi_spec_validator openapi.json openapi.staff.json
	@bash scripts/spectral.sh openapi.json openapi.staff.json

# ---- schema -----------------------------------------------------------------------------------------------------------

.PHONY: schema
schema: setup ## Write database/schema.sql, what all migrations together make
	@$(BIN)/python -m local.dump_schema

.PHONY: check-schema
check-schema: setup ## Compare database/schema.sql with the migrations
	@$(BIN)/python -m local.dump_schema --check

# ---- deployment -----------------------------------------------------------------------------------------------------

.PHONY: template
template: setup ## Complete template.yaml after a function or queue was added
	@$(BIN)/python -m local.complete_template

.PHONY: build
build: setup ## Build every function and layer for Lambda, without Docker
	@MAKEFLAGS=--no-print-directory bash scripts/sam.sh build

.PHONY: check-template
check-template: setup ## Validate, lint, translate and build the template, then look at what was built
	@$(BIN)/python -m local.complete_template --check
	@bash scripts/sam.sh validate
	@bash scripts/sam.sh validate --lint
	@.tools/sam/bin/python scripts/lint_translated_template.py template.yaml
	@mkdir -p .aws-sam && { MAKEFLAGS=--no-print-directory bash scripts/sam.sh build >.aws-sam/build.log 2>&1 || { cat .aws-sam/build.log; exit 1; }; }
	@grep "bytecode left out" .aws-sam/build.log | sort -u || true
	@$(BIN)/python scripts/check_build.py

.PHONY: deploy-smoke
deploy-smoke: setup ## Deploy for real into the AWS emulator, use it, update it, remove it
	@$(BIN)/python -m local.deploy_smoke

.PHONY: test
# Without compiled modules each of the many processes that tests start would compile all it imports, and pytest its tests.
test: export PYTHONDONTWRITEBYTECODE :=
test: setup ## The whole suite, in parallel on two cores
	@$(BIN)/python -m pytest -n 2 --dist loadscope --declared-statuses

.PHONY: test-large-tenant
test-large-tenant: setup ## How many rows every list and search reads, in a tenant with a million contacts (READ_ROWS=1000000)
	@READ_ROWS=$${READ_ROWS:-1000000} $(BIN)/python -m pytest -m large_tenant -n0 tests/functions/test_reads_of_a_large_tenant.py

.PHONY: fuzz
fuzz: setup ## Try many more requests against the API document, other ones each time (FUZZ_EXAMPLES=300 per operation)
	@FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-300} $(BIN)/python -m pytest tests/end_to_end/test_openapi_fuzz.py --show-capture=no

.PHONY: soak
soak: setup ## Minutes of load while servers and workers fail at random (SOAK_SECONDS=120, SOAK_SEED to repeat a run)
	@$(BIN)/python -m pytest -m soak -s tests/end_to_end

.PHONY: soak-webhooks
soak-webhooks: setup ## Many events to failing receivers while workers and servers die (EVENTS=100000)
	@$(BIN)/python -m bench.soak_webhooks $${EVENTS:-100000}

.PHONY: vault
vault: setup ## Build a real Vault server into your cache (about five minutes, once)
	@bash scripts/build_vault.sh

# ---- the stack on one machine -----------------------------------------------------------------------------------------

.PHONY: run
run: setup ## Start everything on this machine (ARGS=--reload takes up code changes)
	@exec $(BIN)/python -m local.run $(ARGS)

.PHONY: code
code: setup ## Print the one-time code of the running stack's super admin
	@$(BIN)/python -m local.staff

.PHONY: invoke
invoke: setup ## Run one handler against the running stack: make invoke F=contacts E=list
	@$(BIN)/python -m local.invoke "$${F:?Name a folder of functions/: make invoke F=contacts E=list}" "$${E:?Name a sample of events/$$F/: make invoke F=contacts E=list}"

.PHONY: check-invoke
check-invoke: setup ## Run every sample event by `sam local invoke`, where there is a container engine (ARGS="--only contacts/")
	@$(BIN)/python -m local.check_invoke $(ARGS)

.PHONY: env.json
env.json: setup ## Build for containers and write what `sam local` has to be told to talk to the running stack
	@$(BIN)/python -m local.containers env.json $(if $(CONTAINER_HOST),--host $(CONTAINER_HOST))

.PHONY: vault-commands
vault-commands: setup ## Print what a Vault has to be told once: ACCOUNT=123456789012 STACK=pm-staging
	@$(BIN)/python -m local.vault_commands "$${ACCOUNT:?Name the AWS account: ACCOUNT=123456789012}" "$${STACK:?Name the stack: STACK=pm-staging}"

.PHONY: trace
trace: setup ## Show what a request of the running stack caused: make trace ID=req_... (ARGS=--otlp for a collector)
	@$(BIN)/python -m local.trace "$${ID:?Name what to look for: make trace ID=req_... (X-Request-Id of an answer)}" $(ARGS)

.PHONY: reset
reset: ## Forget the data of `make run`
	@command -v "$(PYTHON)" >/dev/null || { echo "Python 3.11 or newer is needed; name one: make reset PYTHON=/path/to/python3.12" >&2; exit 1; }
	@"$(PYTHON)" -m local.reset

.PHONY: demo
demo: setup ## Drive the running stack as a customer would, from sign-up to a verified webhook
	@$(BIN)/python -m local.demo

# ---- measurements -----------------------------------------------------------------------------------------------------

BENCHES := authenticated-get verify-key token-bucket cold-start import-contacts sign-mails reads campaign webhooks analytics
.PHONY: bench $(addprefix bench-,$(BENCHES))
bench: $(addprefix bench-,$(BENCHES)) ## Measure everything that bench/README.md claims
$(addprefix bench-,$(BENCHES)): bench-%: setup
	@echo "== $*"; $(BIN)/python -m bench.$(subst -,_,$*)
