# Short names for what is done often. CI runs `.ci/run`; nothing here is needed to build or to use detente.

.DELETE_ON_ERROR:
PYTHON ?= python3
.PHONY: check test model bench bench-peers load openapi growth learning small-data novelty validity names scores silver stats accurate ablation transfer map fuzz

# Format, lints, documentation, the library without the program: what CI asks before it tests.
check:
	.ci/run check

# All tests: unit, integration, documentation.
test:
	cargo test

# The fast model from its recipe, byte for byte; where a source is missing, its name and origin.
model:
	cargo run --release -- train --config models/fast.toml --output models/fast.detente

# The program beside scikit-learn and fastText, which PYTHON must have: reports/speed.md and .csv.
bench-peers:
	cargo bench --bench peers -- reports/speed.csv > reports/speed.md

# The server under load: the table of reports/serve.md. OHA is the program oha.
load:
	cargo bench --bench load

# Whether the description of the API is one, by openapi-spec-validator, which PYTHON must have.
openapi:
	$(PYTHON) -m openapi_spec_validator templates/serve/openapi.json

# Time and memory against the size of hostile input: reports/growth.md.
growth:
	cargo bench --bench growth > reports/growth.md

# What labels on news summaries are worth: reports/learning.md. Trains six models, one after the other.
learning:
	cargo bench --bench learning > reports/learning.md

# What few rows are worth: reports/small-data.md. `make scores` makes one of its sets.
small-data:
	cargo bench --bench small_data > reports/small-data.md

# Stance over time beside what is known otherwise: reports/validity.md. `make scores` makes two of its sets.
validity:
	cargo build --quiet --release
	for part in dev test; do target/release/detente --quiet evaluate --data data-build/events-$$part.csv --model fast \
		--predictions data-build/p-$$part.csv > /dev/null; done
	cargo bench --bench validity > reports/validity.md

# How MODEL does on states and actors that its training rows seldom name. `make scores` makes two of its sets.
novelty:
	cargo build --quiet --release --example novelty
	target/release/examples/novelty models/fast.toml data-build/events-dev.csv data-build/events-test.csv \
		$(addprefix ../shared/data/gold/,events-dev.csv headlines-dev.csv dev.csv) > data-build/novelty.csv
	cargo run --quiet --release -- evaluate --data data-build/novelty.csv --model $(MODEL) --by state_known,actor_known,pair_known

# Which names are found, and which false ones: reports/names.md.
names:
	cargo bench --bench names > reports/names.md

# The scores that models/README.md states, of MODEL=fast, small, accurate, cascade or a file.
scores:
	cargo build --quiet --release
	mkdir -p data-build
	@for part in events:dev events:test contrasts:test; do name=$${part%:*}; split=$${part#*:}; \
		awk -F, -v split_is=$$split 'NR == 1 { for (i = 1; i <= NF; i++) if ($$i == "split") column = i; print } \
			NR > 1 && $$column == split_is' $(LABELS)/$$name.csv > data-build/labels.csv; \
		case $$name in events) texts=$(EVENTS);; *) texts=datasets/stance/$$name.csv;; esac; \
		target/release/detente --quiet data join data-build/labels.csv --texts $$texts -o data-build/$$name-$$split.csv; done
	@for rows in ../shared/data/gold/dev.csv ../shared/data/gold/headlines-dev.csv ../shared/data/gold/events-dev.csv \
		../shared/data/gold/re3d-dev.csv data-build/events-dev.csv data-build/events-test.csv data-build/contrasts-test.csv; do \
		echo; echo $$rows; target/release/detente evaluate --data $$rows --model $(MODEL); done

# Probabilities of a model (MODEL=fast, accurate, or a file) for every connected pair of the news summaries, a file a year under
# silver/MODEL. Years that are there are left as they are, so a run that was cut off goes on where it was.
MODEL = fast
LABELS = datasets/stance/labels
EVENTS = ../shared/data/events/summaries.jsonl
SILVER = silver/$(notdir $(basename $(MODEL)))
silver: $(foreach year,$(shell seq 2002 2024),$(SILVER)/$(year).csv)

$(SILVER)/%.csv: $(EVENTS) $(wildcard $(MODEL))
	cargo build --quiet --release
	mkdir -p $(SILVER)
	grep '"date": "$*-' $(EVENTS) | target/release/detente predict - --input-format jsonl --all-actors --format csv \
		--model $(MODEL) --quiet --output $@

# The accurate and the small model: encoders, fine-tuned on labels and on what teachers say of unlabelled pairs, then put beside
# the n-grams: training/README.md. Minutes on a GPU, days without.
accurate: data-build/trained/half/manifest.json
	cargo build --quiet --release
	set -e; for pair in four-bits:accurate small:small; do trained=data-build/trained/$${pair%:*}; \
		.venv/bin/python training/export.py --trained $$trained --out $$trained/exported; \
		target/release/detente train --config models/fast.toml --encoder $$trained/exported --output models/$${pair#*:}.detente; \
		cargo run --quiet --release --example annotate -- models/$${pair#*:}.detente models/fast.toml \
			../shared/data/gold/dev.csv ../shared/data/gold/headlines-dev.csv ../shared/data/gold/events-dev.csv data-build/events-dev.csv; done
	.venv/bin/python training/fixtures.py --trained data-build/trained/four-bits --base data-build/base-mpnet \
		--windows data-build/windows.jsonl --out tests/data/encoder.jsonl
	.venv/bin/python training/fixtures.py --trained data-build/trained/small --base data-build/base-minilm \
		--windows data-build/windows.jsonl --number 60 --out tests/data/encoder-small.jsonl

# The held-out sets as encoders read them; nothing is trained on them.
data-build/eval.jsonl: training/judged.toml $(wildcard $(LABELS)/*.csv)
	mkdir -p data-build
	$(MAKE) --no-print-directory scores MODEL=fast > data-build/scores.txt
	target/release/detente data windows --config $< --output $@

# What each step is worth: reports/ablation.md, its table. Reads what `make accurate` left.
ablation: data-build/rows.safetensors
	.venv/bin/pip install --quiet scikit-learn
	.venv/bin/python training/export.py --trained data-build/trained/half --out data-build/trained/half/exported
	target/release/detente train --config models/fast.toml --encoder data-build/trained/half/exported --output data-build/half.detente
	.venv/bin/python training/ablation.py --windows data-build/windows.jsonl --judged data-build/eval.jsonl --work data-build/ablation \
		--rows data-build/rows.safetensors --scores data-build/trained/scores.safetensors --half data-build/half.detente

# The encoder of the accurate model without Russia, and without Africa: models/README.md, "What it has never seen".
transfer: data-build/labelled.safetensors
	.venv/bin/python training/transfer.py RUS Africa --windows data-build/windows.jsonl data-build/eval.jsonl --rows $< \
		--base data-build/base-mpnet --pieces data-build/pieces.txt --out data-build/transfer

data-build/labelled.safetensors: data-build/windows.jsonl data-build/eval.jsonl data-build/pieces.txt
	.venv/bin/python training/rows.py --windows data-build/windows.jsonl data-build/eval.jsonl --pieces data-build/pieces.txt --out $@

data-build/trained/half/manifest.json: data-build/rows.safetensors data-build/base-minilm/model.safetensors
	.venv/bin/python training/finetune.py --rows $< --pieces data-build/pieces.txt --base data-build/base-mpnet \
		--small-base data-build/base-minilm --out data-build/trained

data-build/rows.safetensors: data-build/windows.jsonl data-build/silver.jsonl data-build/eval.jsonl data-build/pieces.txt
	.venv/bin/python training/rows.py --windows $(filter %.jsonl,$^) --pieces data-build/pieces.txt --out $@

data-build/silver.jsonl: training/unlabelled.toml $(LABELS)/events.csv .venv/done
	cargo build --quiet --release
	mkdir -p data-build/unlabelled
	set -e; for part in events:events/summaries bbc:news/bbc factbook:factbook/text; do name=$${part%:*}; \
		target/release/detente --quiet predict ../shared/data/$${part#*:}.jsonl --all-actors --model fast --format jsonl \
			--output data-build/unlabelled/$$name.jsonl; \
		.venv/bin/python training/unlabelled.py --predictions data-build/unlabelled/$$name.jsonl --out data-build/unlabelled/$$name.csv \
			$$(if [ $$name = events ]; then echo --labels $(LABELS)/events.csv --before 2023; fi); done
	target/release/detente data windows --config $< --output $@

data-build/pieces.txt: data-build/base-mpnet/model.safetensors
	.venv/bin/python training/pieces.py --base $(<D) --out $@ --texts $(EVENTS) \
		$(addprefix datasets/stance/,headlines.csv sentences.csv articles.csv contrasts.csv)

data-build/windows.jsonl: models/fast.toml $(wildcard datasets/stance/*.csv datasets/stance/labels/*.csv)
	cargo build --quiet --release
	mkdir -p data-build
	target/release/detente data windows --config models/fast.toml --output $@

data-build/base-%/model.safetensors: .venv/done
	.venv/bin/python training/base.py $* $(@D)

.venv/done: training/requirements.txt
	python3 -m venv .venv
	.venv/bin/pip install --quiet --requirement training/requirements.txt
	touch $@

# The counts and agreements that datasets/README.md states.
stats:
	cargo build --quiet --release
	mkdir -p data-build
	for part in headlines sentences articles contrasts; do \
		target/release/detente data join $(LABELS)/$$part.csv --texts datasets/stance/$$part.csv -o data-build/$$part.csv; done
	target/release/detente data join $(LABELS)/events.csv --texts $(EVENTS) -o data-build/events.csv
	target/release/detente data join $(LABELS)/bbc.csv --texts ../shared/data/news/bbc.jsonl --layout sentences -o data-build/bbc.csv
	target/release/detente data join $(LABELS)/factbook.csv --texts ../shared/data/factbook/text.jsonl --layout clauses -o data-build/factbook.csv
	target/release/detente data join $(LABELS)/dse.csv --texts ../shared/data/dse/train.txt --layout directed-sentiment -o data-build/dse.csv
	target/release/detente data stats $(foreach part,articles bbc contrasts dse events factbook headlines sentences,data-build/$(part).csv)
	for part in $(filter-out %-artefacts.csv,$(wildcard $(LABELS)/*.csv)); do \
		echo; echo $$part; target/release/detente data agreement $$part 2> /dev/null || echo 'read once'; done

# Damaged input, CASES times for each target; a failure names the case, and FUZZ_FIRST begins there.
CASES ?= 1000000
fuzz:
	FUZZ_CASES=$(CASES) cargo test --profile fuzz --test hostile

# Benchmarks. `cargo bench --bench throughput -- --save-baseline main`, then `-- --baseline main`, compares two states of the code.
bench:
	cargo bench --bench throughput

# The map of the world that pages draw: datasets/map/world.csv. Needs npm.
map:
	mkdir -p data-build/map
	cp datasets/map/build.mjs data-build/map
	cd data-build/map && npm install --silent --no-save world-atlas@2.0.2 topojson-client@3.1.0 d3-geo@3.1.1 i18n-iso-countries@7.14.0
	cd data-build/map && node build.mjs
	cp data-build/map/world.csv datasets/map
