"""What the site has, in the order of its contents. A page of docs/ that is missing here is an error of the build."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath


@dataclass(frozen=True)
class Page:
    """A page: made from a text of the repository, or by a module of this folder."""

    title: str
    source: str = ""
    made: str = ""
    # The page of the contents that it belongs to, if it is none itself.
    below: str = ""

    @property
    def path(self) -> str:
        """Where in the site it is."""
        if self.made:
            return self.made
        if self.source == "README.md":
            return "index.html"
        source = PurePosixPath(self.source)
        if source.suffix != ".md":
            return f"man/{source.name}.html"
        stem = source.parent.name if source.stem == "README" else source.stem.lower()
        return f"{stem}.html"


C, CPP, GO, PYTHON = (
    Page(f"{language} reference", made=f"api/{name}.html")
    for language, name in (("C", "c"), ("C++", "cpp"), ("Go", "go"), ("Python", "python"))
)
RUST = Page("Rust reference", made="api/rust/criwatch/index.html")

CHAPTERS: dict[str, list[Page]] = {
    "Start": [
        Page("Overview", "README.md"),
        Page("Quick start", "docs/quick-start.md"),
        Page("The command", "docs/command.md"),
        Page("Installing and packaging", "docs/packaging.md"),
        Page("Porting from whalewatcher", "docs/porting-from-whalewatcher.md"),
        Page("Glossary", "docs/glossary.md"),
    ],
    "Guides": [
        Page("Events", "docs/events.md"),
        Page("Lookups", "docs/lookups.md"),
        Page("Options", "docs/options.md"),
        Page("JSON", "docs/json.md"),
        Page("Where each field comes from", "docs/fields.md"),
        Page("Metrics", "docs/metrics.md"),
        Page("Testing your own agent", "docs/simulator.md"),
    ],
    "What to rely on": [
        Page("A guest in your process", "docs/guest.md"),
        Page("Reliability", "docs/reliability.md"),
        Page("The C ABI", "docs/abi.md"),
        Page("The host as a second source", "docs/witness.md"),
        Page("Benchmarks", "docs/benchmarks.md"),
    ],
    "Languages": [
        Page("C++", "bindings/cpp/README.md"),
        Page("Go", "bindings/go/README.md"),
        Page("Python", "bindings/python/README.md"),
        Page("Python: the simulated engine", "bindings/python-sim/README.md"),
        Page("Go: metrics for Prometheus", "bindings/go/criwatchprom/README.md"),
    ],
    "Agents that link the library": [
        Page("What they show", "docs/integrations.md"),
        Page("OpenTelemetry Collector", "docs/opentelemetry.md"),
        Page("Kubernetes", "docs/kubernetes.md"),
        Page("A fleet of nodes", "docs/fleet.md"),
        Page("Falco and sysdig", "integrations/sysdig-plugin/README.md"),
        Page("collectd", "integrations/collectd/README.md"),
        Page("eBPF: execsnoop", "integrations/ebpf/README.md"),
        Page("Prometheus", "integrations/prometheus/README.md"),
        Page("Collector: building", "integrations/otelcol/README.md"),
        Page("Collector: processor", "integrations/otelcol/criwatchprocessor/README.md"),
        Page("Collector: receiver", "integrations/otelcol/criwatchreceiver/README.md"),
        Page("Collector: observer", "integrations/otelcol/criwatchobserver/README.md"),
        Page("Collector: NATS", "integrations/otelcol/criwatchnatsexporter/README.md"),
    ],
    "Reference": [C, CPP, GO, PYTHON, RUST],
    # Filled with docs/man.
    "Manual pages": [],
    "Inside": [
        Page("Contributing", "CONTRIBUTING.md"),
        Page("Architecture", "docs/architecture.md"),
        Page("Making a release", "docs/release.md"),
        Page("The lab", "docs/lab.md"),
        Page("The simulated engine", "sim/README.md"),
        Page("The wire contract", "proto/README.md"),
        Page("Conformance", "tests/conformance/README.md"),
        Page("Fuzzing", "fuzz/README.md"),
        Page("Changes", "CHANGELOG.md"),
        Page("Security", "SECURITY.md"),
        Page("This site", "docs/site/README.md"),
    ],
}

# Chapters that are folded unless one of their pages is read.
FOLDED = {"Agents that link the library", "Manual pages", "Inside"}
