"""The configs of a file of Keras 2 as Keras 3 has them, audited again: this is what Keras gets to see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from exporter.loading.archive import CONFIG
from exporter.loading.config import ConfigAudit, Names
from exporter.loading.finding import Finding
from exporter.loading.hdf5 import MODEL_CONFIG, TRAINING_CONFIG
from exporter.loading.legacy import names as old_names
from exporter.loading.legacy.layer_config import Remarks
from exporter.loading.legacy.training import translated_training
from exporter.loading.legacy.translation import Translator


@dataclass(frozen=True)
class Translation:
    """What a file of Keras 2 says in Keras 3's terms.

    Args:
        model: the config of the model.
        training: what `compile_from_config` takes; None if the model was not compiled.
        remarks: what is to be said of the file.
        findings: the reasons to refuse it.
    """

    model: dict[str, Any]
    training: dict[str, Any] | None = None
    remarks: Remarks = field(default_factory=Remarks)
    findings: list[Finding] = field(default_factory=list)


def translate(documents: Mapping[str, Any], names: Names) -> Translation:
    """Translate the audited configs of a file.

    Args:
        documents: by the name of the attribute or the member of the archive.
        names: what the user registered or passed.
    """
    origin = MODEL_CONFIG if MODEL_CONFIG in documents else CONFIG
    document = documents[origin]
    translator = Translator(names)
    try:
        model = translator.model(document)
    except RecursionError:
        return Translation({}, findings=[Finding("nested too deeply", origin)])
    training = translated_training(documents.get(TRAINING_CONFIG, document.get("compile_config")), translator)
    rules = ConfigAudit(names, origin=f"{origin} (as Keras 3 has it)", also=frozenset(old_names.TENSORFLOW_CALLS))
    findings = [*translator.remarks.refusals, *rules.model_findings(model)]
    of_training = list(rules.findings(training))
    if of_training and not any(finding.unsafe for finding in of_training):
        reason = f"the model is not compiled: {of_training[0].what}"
        translator.remarks.note("training", reason, "compile it", severity="warning")
        training, of_training = None, []
    findings += of_training
    return Translation(model, training, translator.remarks, findings)
