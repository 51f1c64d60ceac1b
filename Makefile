PYTHON ?= python3
BIN = .venv/bin

.PHONY: run test lab-pains lab-failure lab-security lab-histories lab-live bench lab-load audit cards coverage lock clean

# make run [ONCE=1] [ERP=netsuite|business_central|sap_s4hana|tryton]
run: .venv/ready ; @$(BIN)/python -m local.run
test: .venv/ready ; @$(BIN)/python -m local.test
lab-live: .venv/ready ; @WAYBILL_LIVE=whole $(BIN)/python -m pytest -n 0 tests/connectors/tryton/test_live.py
lab-pains: .venv/ready ; @$(BIN)/python -m labs.pains
bench: .venv/ready ; @$(BIN)/python -m bench $(ROWS)
lab-load: .venv/ready ; @$(BIN)/python -m bench.lab $(SCENARIOS)
lab-failure: .venv/ready ; @$(BIN)/python -m labs.failure $(SCENARIOS)
lab-security: .venv/ready ; @$(BIN)/python -m labs.security
cards: .venv/ready ; @$(BIN)/python -m local.cards
coverage: .venv/ready ; @$(BIN)/python -m local.coverage
audit: .venv/ready ; @$(BIN)/python -m local.audit
lab-histories: .venv/ready ; @$(BIN)/python -m labs.histories
lock: .venv/ready ; @for set in run test; do $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --output-file requirements/$$set.txt requirements/$$set.in; done
clean: ; @if [ -x $(BIN)/python ]; then $(BIN)/python -m local.clean; fi

.venv/ready: requirements/run.txt requirements/test.txt requirements/tools.txt setup.cfg local/install.py ; @$(PYTHON) local/install.py

# Where the machine's Python is told to keep no bytecode, every process would compile all that it imports anew: 1.7 s of processor time, not 0.6 (time .venv/bin/python -c 'import tasks.worker').
export PYTHONDONTWRITEBYTECODE =
export ONCE ERP
