PYTHON ?= python3
BIN = .venv/bin

.PHONY: run test lab-pains lab-failure bench lab-load lock clean

# make run [ONCE=1] [ERP=tryton]
run: .venv/ready ; @$(BIN)/python -m local.run
test: .venv/ready ; @$(BIN)/python -m local.test
lab-pains: .venv/ready ; @$(BIN)/python -m labs.pains
lab-failure: .venv/ready ; @$(BIN)/python -m labs.failure
bench: .venv/ready ; @$(BIN)/python -m bench $(ROWS)
lab-load: .venv/ready ; @$(BIN)/python -m bench.lab $(SCENARIOS)
lock: .venv/ready ; @for set in run test; do $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --output-file requirements/$$set.txt requirements/$$set.in; done
clean: ; @if [ -x $(BIN)/python ]; then $(BIN)/python -m local.clean; fi

.venv/ready: requirements/run.txt requirements/test.txt requirements/tools.txt setup.cfg local/install.py ; @$(PYTHON) local/install.py

export ONCE ERP
