"""How the model was compiled: loss, metrics and optimizer, as data and then as objects."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from exporter.loading import allowed
from exporter.loading.legacy import names
from exporter.loading.legacy.optimizer_state import restore_optimizer
from exporter.loading.legacy.parameters import parameters_of
from exporter.loading.legacy.translation import Translator
from exporter.loading.legacy.wiring import Part

# Functions that have another name, or no short one, in Keras 3.
_FUNCTIONS = {
    "KLD": "kl_divergence",
    "cosine": "cosine_similarity",
    "cosine_proximity": "cosine_similarity",
    "kld": "kl_divergence",
    "kullback_leibler_divergence": "kl_divergence",
    "log_cosh": "log_cosh",
    "logcosh": "log_cosh",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "mse": "mean_squared_error",
    "msle": "mean_squared_logarithmic_error",
}
_REDUCTIONS = {"auto": "sum_over_batch_size", "none": None}


def translated_training(config: Any, translator: Translator) -> dict[str, Any] | None:
    """What `compile_from_config` of Keras 3 takes; None if the model was not compiled.

    Args:
        config: `training_config` of an `.h5` file, or `compile_config` of an archive.
        translator: of the file.
    """
    if not isinstance(config, dict) or not (
        config.get("loss") or config.get("optimizer_config") or config.get("optimizer")
    ):
        return None
    return {
        "optimizer": _optimizer(config.get("optimizer_config") or config.get("optimizer"), translator),
        "loss": _nested(config.get("loss"), "losses", translator),
        "metrics": _nested(config.get("metrics"), "metrics", translator),
        "weighted_metrics": _nested(config.get("weighted_metrics"), "metrics", translator),
        "loss_weights": config.get("loss_weights"),
    }


def _nested(value: Any, kind: str, translator: Translator) -> Any:
    if isinstance(value, list):
        return [_nested(item, kind, translator) for item in value]
    if isinstance(value, dict) and "class_name" not in value:
        return {key: _nested(item, kind, translator) for key, item in value.items()}
    if isinstance(value, dict):
        return _object(value, kind, translator)
    return _FUNCTIONS.get(value, value) if isinstance(value, str) and value.startswith(("log", "cos")) else value


def _object(node: dict[str, Any], kind: str, translator: Translator) -> Any:
    name, config = str(node["class_name"]), node.get("config")
    module = names.module_of(kind, name)
    if name == "LossFunctionWrapper":
        return _function(config.get("fn")) if isinstance(config, dict) else node
    if name == "function":
        return _function(node)
    if module is None or not names.is_own_module(node.get("module")) or not isinstance(config, dict):
        return translator.value(node)
    accepted = _arguments(kind, name)
    kept = {key: value for key, value in config.items() if key in accepted}
    if "reduction" in kept:
        kept["reduction"] = _REDUCTIONS.get(kept["reduction"], kept["reduction"])
    if "fn" in kept:
        kept["fn"] = _function(kept["fn"])
    return {"module": module, "class_name": name, "config": kept, "registered_name": None}


def _function(value: Any) -> Any:
    """A function of Keras as Keras 3 writes it; the name alone where it is somebody else's."""
    name = value.get("config") if isinstance(value, dict) and value.get("class_name") == "function" else value
    name = _FUNCTIONS.get(name, name) if isinstance(name, str) else name
    if name not in allowed.ALL_FUNCTION_NAMES:
        return name
    return {"module": "builtins", "class_name": "function", "config": name, "registered_name": "function"}


def _arguments(kind: str, name: str) -> frozenset[str]:
    import keras

    return parameters_of(getattr(getattr(keras, kind), name))


def _optimizer(node: Any, translator: Translator) -> Any:
    if not isinstance(node, dict):
        return node
    name, config = str(node.get("class_name")).removeprefix("Custom>"), node.get("config")
    if name.startswith("LossScaleOptimizer") and isinstance(config, dict):
        translator.remarks.note("optimizer", "its dynamic loss scale starts again")
        inner = config.get("inner_optimizer") or config.get("optimizer")
        wrapped = {"inner_optimizer": _optimizer(inner, translator)}
        return {
            "module": "keras.optimizers",
            "class_name": "LossScaleOptimizer",
            "config": wrapped,
            "registered_name": None,
        }
    if name not in names.OPTIMIZERS or not isinstance(config, dict):
        return translator.value(node)
    config = dict(config)
    if "lr" in config:
        config.setdefault("learning_rate", config.pop("lr"))
    config["learning_rate"] = _learning_rate(config, translator)
    accepted = _arguments("optimizers", name)
    kept = {key: value for key, value in config.items() if key in accepted}
    if kept.get("epsilon", 0) is None:
        kept["epsilon"] = 1e-7
    return {"module": "keras.optimizers", "class_name": name, "config": kept, "registered_name": None}


def _learning_rate(config: Mapping[str, Any], translator: Translator) -> Any:
    """A number or a schedule; `decay` of Keras 2's optimizers was lr / (1 + decay · iteration)."""
    rate, decay = config.get("learning_rate", 0.001), config.get("decay", 0.0)
    if isinstance(rate, dict):
        name = str(rate.get("class_name"))
        module, given = "keras.optimizers.schedules", rate.get("config")
        kept = {key: value for key, value in given.items() if value is not None} if isinstance(given, dict) else given
        return {"module": module, "class_name": name, "config": kept, "registered_name": None}
    if not decay:
        return rate
    translator.remarks.note("optimizer", f"decay={decay!r} is kept as the schedule InverseTimeDecay")
    schedule = {"initial_learning_rate": rate, "decay_steps": 1, "decay_rate": decay}
    module = "keras.optimizers.schedules"
    return {"module": module, "class_name": "InverseTimeDecay", "config": schedule, "registered_name": None}


def restore_training(model: Any, config: dict[str, Any] | None, parts: list[Part], file: Any, remarks: Any) -> None:
    """Compile the model and set the state of its optimizer; what fails is noted, the model is whole without it.

    Args:
        model: the model, with its weights.
        config: as `translated_training` gave it.
        parts: the layers of the model, in the order of the file.
        file: the opened h5py file.
        remarks: what is told of the file.
    """
    if config is None:
        return
    try:
        model.compile_from_config(config)
    except Exception as error:  # losses and metrics that Keras 3 does not know
        reason = next(iter(str(error).splitlines()), "")
        remarks.note(
            "training", f"the model is not compiled: {type(error).__name__}: {reason}", "compile it", severity="warning"
        )
        return
    lost = restore_optimizer(model, parts, file)
    if lost is None and type(model.optimizer).__name__ == "Nadam":
        _restore_momenta(model.optimizer)
        remarks.note("optimizer", "the product of Nadam's momenta, which Keras 2 did not store, is computed again")
    if lost is not None:
        remarks.note("optimizer", f"its state starts again: {lost}", severity="warning")


def _restore_momenta(optimizer: Any) -> None:
    """Set the product of β₁ (1 - 0.96ᵗ / 2) over the steps t that were made.

    tf-keras 2.21 starts it at 1 again after reading; in a graph it multiplies it by a factor once for each variable.
    """
    steps = min(int(optimizer.iterations), 10_000)  # it is 0 by then
    optimizer._u_product.assign(math.prod(optimizer.beta_1 * (1 - 0.96**step / 2) for step in range(1, steps + 1)))
