"""Validates manifests against the schemas of each Kubernetes from FIRST on, strictly: an unknown field is an error.

    validate.py FIRST FILE...

Prints the versions. Objects that are not of Kubernetes itself have no schema: those of OpenShift are decoded by the Go program.
"""

import sys
from pathlib import Path

import kubernetes_validate
import yaml
from kubernetes_validate.utils import all_versions


def main(first: str, files: "list[str]") -> None:
    number = [int(part) for part in first.split(".")]
    # Each is listed twice: its strict schemas are a folder of their own.
    listed = dict.fromkeys(all_versions())
    versions = [version for version in listed if [int(part) for part in version.split(".")[:2]] >= number]
    wrong = []
    for file in files:
        for document in yaml.safe_load_all(Path(file).read_text(encoding="utf-8")):
            if not document["apiVersion"].startswith("security.openshift.io/"):
                wrong += [fault for version in versions for fault in faults(Path(file).stem, document, version)]
    print(*versions)
    if wrong:
        sys.exit("\n".join(wrong))


def faults(name: str, document: dict, version: str) -> "list[str]":
    try:
        kubernetes_validate.validate(document, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        where = ".".join(str(part) for part in error.path)
        return [f"{name}: {document['kind']}: {where}: {error.message} (Kubernetes {version})"]
    except kubernetes_validate.SchemaNotFoundError as error:
        return [f"{name}: {error.message}"]
    return []


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
