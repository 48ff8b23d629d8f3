"""Write `.keras` files of everything in the public namespaces of the Keras that is imported, with what they compute.

    python write.py FOLDER

Runs under any Keras 3 and imports nothing of this project: `renew.py` starts it once for each release. Weights and inputs
are seeded, so that releases that store the same write the same. A class without arguments here is tried with those that its
parameters' names suggest; what cannot be written is listed in `left_out.txt`, which `renew.py` shows.
"""

import inspect
import itertools
import json
import sys
from pathlib import Path

import keras
import numpy as np

layers = keras.layers

# Values by the name of a parameter without a default.
ARGUMENTS = {
    "units": 2, "filters": 2, "kernel_size": 2, "rate": 0.25, "stddev": 0.1, "n": 2, "dims": (2, 1), "target_shape": (-1,),
    "axes": 1, "input_dim": 7, "output_dim": 2, "num_bins": 5, "height": 3, "width": 3, "factor": 0.2, "scale": 2.0,
    "num_heads": 2, "key_dim": 2, "head_dim": 2, "num_query_heads": 2, "num_key_value_heads": 1, "output_size": 2,
    "max_number": 3, "equation": "abc,cd->abd", "output_shape": (None, 2), "activation": "tanh", "num_classes": 3,
    "threshold": 0.4, "recall": 0.5, "precision": 0.5, "specificity": 0.5, "sensitivity": 0.5, "target_class_ids": [0, 1],
    "initial_learning_rate": 0.01, "decay_steps": 10, "decay_rate": 0.9, "first_decay_steps": 5, "boundaries": [5, 9],
    "values": [0.1, 0.01, 0.001], "value": 0.5, "side_length": 2, "max_boxes": 4, "pool_size": 2, "height_factor": 0.2,
    "width_factor": 0.1, "fn": keras.metrics.mean_squared_error,
}  # fmt: skip
OWN = {
    "ActivityRegularization": {"l2": 0.1}, "Cropping1D": {"cropping": 1}, "Cropping2D": {"cropping": 1},
    "Cropping3D": {"cropping": 1}, "Discretization": {"bin_boundaries": [0.0, 0.5]}, "Dot": {"axes": 2},
    "EinsumDense": {"equation": "abc,cd->abd", "output_shape": (None, 2), "bias_axes": "d"},
    "HashedCrossing": {"num_bins": 5}, "IntegerLookup": {"vocabulary": [3, 4, 5]},
    "Normalization": {"mean": [0.5, 0.0, 1.0], "variance": [2.0, 1.0, 4.0]},
    "StringLookup": {"vocabulary": ["a", "b"]},
    "TextVectorization": {"vocabulary": ["a", "b"], "output_sequence_length": 3},
    "CategoryEncoding": {"num_tokens": 7}, "RandomRotation": {"factor": 0.1}, "RandomPosterization": {"factor": 4},
    "RandomCrop": {"height": 3, "width": 3},
    "Resizing": {"height": 4, "width": 5}, "CenterCrop": {"height": 3, "width": 4}, "STFTSpectrogram": {
        "frame_length": 16, "frame_step": 8, "fft_length": 16}, "MelSpectrogram": {
        "fft_length": 32, "sequence_stride": 16, "sequence_length": 32, "num_mel_bins": 4, "sampling_rate": 100,
        "max_freq": 50},
    "GRU": {"units": 2, "return_sequences": True}, "SimpleRNN": {"units": 2, "go_backwards": True},
    "Permute": {"dims": (2, 1)},
    "RandomColorJitter": {"value_range": (0, 1)}, "Rescaling": {"scale": 0.5, "offset": 1.0},
    "Masking": {"mask_value": 0.0},
    "GroupNormalization": {"groups": 1}, "LSTM": {"units": 2}, "UnitNormalization": {"axis": -1},
}  # fmt: skip
MERGED = (
    *(
        "Add",
        "Average",
        "Concatenate",
        "Dot",
        "Maximum",
        "Minimum",
        "Multiply",
        "Subtract",
        "Attention",
        "AdditiveAttention",
    ),
    "HashedCrossing",
)
CALLED_ON_TWO = ("MultiHeadAttention", "GroupQueryAttention", "GroupedQueryAttention")
# Bases, code of others, and what cannot be called on one tensor.
LEFT_OUT = frozenset(
    [
        "InputLayer",
        "InputSpec",
        "Layer",
        "Lambda",
        "TFSMLayer",
        "TorchModuleWrapper",
        "JaxLayer",
        "FlaxLayer",
        "Wrapper",
        "Operation",
        "MultiOptimizer",
        "Mean",
        "Sum",
        "Optimizer",
        "Loss",
        "Metric",
        "Regularizer",
        "Constraint",
        "LearningRateSchedule",
        "Initializer",
        "OptimizerMap",
    ]
)

NO_PART = ("get", "serialize", "deserialize")
IMAGES = frozenset(
    [
        "Resizing",
        "CenterCrop",
        "AugMix",
        "AutoContrast",
        "CutMix",
        "MixUp",
        "Equalization",
        "Solarization",
        "Pipeline",
        "RandAugment",
    ]
)

INPUTS = {
    "vector": ((4,), "float32"), "sequence": ((5, 3), "float32"), "image": ((6, 6, 3), "float32"),
    "steps": ((3, 6, 3, 2), "float32"),
    "volume": ((4, 4, 4, 2), "float32"), "volumes": ((3, 4, 4, 4, 2), "float32"), "token": ((3,), "int32"),
    "sound": ((128,), "float32"), "channels": ((128, 1), "float32"),
    "word": ((1,), "string"), "code": ((1,), "int32"),
}  # fmt: skip


def names(module):
    """Classes in a public namespace, each object once, in the order of their names."""
    found = {}
    for name in sorted(dir(module)):
        thing = getattr(module, name)
        if inspect.isclass(thing) and name not in LEFT_OUT and thing not in found.values():
            found[thing.__name__ if hasattr(module, thing.__name__) else name] = thing
    return {name: thing for name, thing in found.items() if name not in LEFT_OUT}


def takes_one(function):
    """Whether a function needs no more than one argument."""
    return sum(p.default is p.empty for p in inspect.signature(function).parameters.values()) == 1


def made(cls, name):
    """An instance, with the arguments that it needs."""
    needed = [
        parameter.name
        for parameter in inspect.signature(cls.__init__).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
    ]
    return cls(**{key: ARGUMENTS[key] for key in needed[1:] if key not in OWN.get(name, {})}, **OWN.get(name, {}))


def layer_calls():
    """Pairs of a name and a function that makes the layer."""
    for name, cls in names(layers).items():
        if name == "Bidirectional":
            yield name, lambda cls=cls: cls(layers.GRU(2))
        elif name in {"TimeDistributed", "SpectralNormalization"}:
            yield name, lambda cls=cls: cls(layers.Dense(2))
        elif name in ("RNN", "StackedRNNCells"):
            yield name, lambda: layers.RNN([layers.LSTMCell(2), layers.GRUCell(2), layers.SimpleRNNCell(2)])
        elif name.endswith("Cell"):
            yield name, lambda cls=cls: layers.RNN(cls(2))
        elif name == "Pipeline":
            yield name, lambda cls=cls: cls([layers.Rescaling(2.0), layers.RandomFlip()])
        else:
            yield name, lambda cls=cls, name=name: made(cls, name)


def applied(name, layer, tensor):
    """The output of a layer on a tensor, called as it wants to be."""
    if name in MERGED:
        return layer([tensor, tensor])
    return layer(tensor, tensor) if name in CALLED_ON_TWO else layer(tensor)


def fresh_input(kind):
    shape, dtype = INPUTS[kind]
    return keras.Input(shape, dtype=dtype, name=kind)


def example(kind, seed=0):
    """Data for an input: two rows."""
    shape, dtype = INPUTS[kind]
    rng = np.random.default_rng(seed)
    if dtype == "string":
        return np.array([["a"], ["c b"]], dtype=object)
    if dtype == "int32":
        return rng.integers(0, 7, (2, *shape)).astype("int32")
    return rng.uniform(-1, 1, (2, *shape)).astype("float32")


def group_layers(failures):
    """Which layers work on which kind of input: each goes to the first that it takes."""
    order = ("sequence", "image", "steps", "volume", "volumes", "vector", "token", "sound", "channels", "word", "code")
    first = {"Embedding": "token", "ReversibleEmbedding": "token", "Hashing": "token", "IntegerLookup": "token",
             "CategoryEncoding": "token", "StringLookup": "word", "TextVectorization": "word", "STFTSpectrogram": "channels",
             "MelSpectrogram": "sound", "RepeatVector": "vector", "HashedCrossing": "code",
             "EinsumDense": "sequence"}  # fmt: skip
    groups = {kind: [] for kind in order}
    for name, make in layer_calls():
        on_images = name in IMAGES or name.startswith("Random")
        kinds = [first[name]] if name in first else ["image"] if on_images else hinted(name) or order
        errors = []
        for kind in kinds:
            try:
                layer = make()
                applied(name, layer, fresh_input(kind))
                model = single(name, make(), kind)
                computed(model, [kind])
                groups[kind].append((name, make))
                break
            except Exception as error:
                errors.append(f"{kind}: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")
        else:
            failures.append(f"{name}: {errors}")
    return groups


def hinted(name):
    """What a name says of the dimensions."""
    stepwise = name.startswith("ConvLSTM")
    for ending, kind in (
        ("1D", "image" if stepwise else "sequence"),
        ("2D", "steps" if stepwise else "image"),
        ("3D", "volumes" if stepwise else "volume"),
    ):
        if name.endswith((ending, f"{ending}Transpose")):
            return (kind,)
    return ()


def single(name, layer, kind):
    given = fresh_input(kind)
    return keras.Model({kind: given}, applied(name, layer, given))


def seeded(model):
    """Give the weights values that do not depend on the release."""
    rng = np.random.default_rng(7)
    for weight in model.weights:
        if "float" in str(weight.dtype) and "seed" not in weight.path:
            low, high = (0.5, 1.5) if weight.path.endswith(("variance", "gamma")) else (-0.5, 0.5)
            weight.assign(rng.uniform(low, high, weight.shape).astype("float32"))


def save(model, kinds, folder, name, evaluated=None):
    """Save a model with its outputs, by number."""
    flat = computed(model, kinds)
    model.save(folder / f"{name}.keras")
    arrays = {
        f"output {number}": value.astype(str) if value.dtype.kind == "O" else value for number, value in enumerate(flat)
    }
    np.savez(folder / f"{name}.npz", **arrays)
    (folder / f"{name}.json").write_text(json.dumps({"evaluated": evaluated or {}}))


def computed(model, kinds):
    """What a model gives for the examples."""
    data = {kind: keras.ops.convert_to_tensor(example(kind)) for kind in kinds}
    return flatten(model(data, training=False))


def flatten(outputs):
    """Arrays in the order of Keras: dicts by their keys."""
    if isinstance(outputs, dict):
        return [array for key in sorted(outputs) for array in flatten(outputs[key])]
    return (
        [array for value in outputs for array in flatten(value)]
        if isinstance(outputs, (list, tuple))
        else [np.asarray(outputs)]
    )


def write_layers(folder, failures):
    groups = {kind: calls for kind, calls in group_layers(failures).items() if calls}
    for kind, calls in groups.items():
        given = fresh_input(kind)
        outputs = []
        for name, make in calls:
            layer = make()
            made_output = applied(name, layer, given)
            outputs.extend(made_output if isinstance(made_output, (list, tuple)) else [made_output])
        model = keras.Model({kind: given}, outputs)
        seeded(model)
        save(model, [kind], folder, f"layers_{kind}")


def write_small_objects(folder, failures):
    """Activations, initializers, regularizers and constraints, by object and by name."""
    given = fresh_input("vector")
    outputs = []
    for name in sorted(dir(keras.activations)):
        function = getattr(keras.activations, name)
        if inspect.isfunction(function) and name not in NO_PART and takes_one(function):
            try:
                outputs.append(layers.Activation(function)(given))
            except Exception as error:
                failures.append(f"activation {name}: {error}")
    outputs.append(layers.Dense(2, activation=layers.LeakyReLU())(given))
    for module, argument in (
        (keras.initializers, "kernel_initializer"),
        (keras.regularizers, "kernel_regularizer"),
        (keras.constraints, "kernel_constraint"),
    ):
        for name, cls in names(module).items():
            try:
                outputs.append(layers.Dense(4, **{argument: made(cls, name)})(given))
            except Exception as error:
                failures.append(f"{argument} {name}: {error}")
    outputs.append(
        layers.Dense(2, kernel_initializer="he_normal", bias_initializer="ones", kernel_regularizer="l2")(given)
    )
    outputs.append(keras.ops.concatenate([given[:, ::2], keras.ops.where(given > 0, given, 0.5)], axis=-1))
    outputs.append(layers.Dense(2, dtype="mixed_float16")(given))
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.BatchNormalization()])
    outputs += [inner(given), inner(given * 2.0)]
    model = keras.Model({"vector": given}, outputs)
    seeded(model)
    save(model, ["vector"], folder, "small_objects")


def trainable(outputs, activation="sigmoid"):
    given = fresh_input("vector")
    return keras.Model({"vector": given}, {name: layers.Dense(3, activation, name=name)(given) for name in outputs})


def truth_for(what, thing):
    """Values with which a loss or metric computes something, or the error."""
    predicted = keras.ops.convert_to_tensor([[0.2, 0.7, 0.1], [0.3, 0.3, 0.4]])
    for y in (np.eye(3, dtype="float32")[[0, 2]], np.array([[0], [2]], "int32")):
        try:
            thing(keras.ops.convert_to_tensor(y), predicted)
        except Exception as error:
            failure = error
        else:
            return y
    raise failure


def write_training(folder, failures):
    """One model with an output for each loss and metric; one model for each optimizer and schedule."""
    outputs, losses, metrics, truth = [], {}, {}, {}
    functions = [(name, thing) for name, thing in vars(keras.losses).items() if inspect.isfunction(thing)]
    things = [("loss", name, lambda c=cls, n=name: made(c, n)) for name, cls in names(keras.losses).items()]
    things += [("loss", f"f_{name}", lambda f=f: f) for name, f in sorted(functions) if name not in NO_PART]
    things += [("metric", name, lambda c=cls, n=name: made(c, n)) for name, cls in names(keras.metrics).items()]
    for what, name, make in things:
        try:
            y = truth_for(what, make())
        except Exception as error:
            failures.append(f"{what} {name}: {type(error).__name__}: {str(error)[:150]}")
            continue
        key = f"{what}_{name}".lower()
        outputs.append(key)
        losses[key], truth[key] = (make() if what == "loss" else "mse"), y
        if what == "metric":
            metrics[key] = [make()]
    model = trainable(outputs)
    seeded(model)
    model.compile("sgd", losses, metrics=metrics, run_eagerly=True)
    result = model.evaluate({"vector": example("vector")}, truth, verbose=0, return_dict=True)
    np.savez(folder / "truth.npz", **truth)
    save(model, ["vector"], folder, "training", {key: float(np.sum(value)) for key, value in result.items()})
    model = trainable(["y"])
    seeded(model)
    wrapped = keras.metrics.MeanMetricWrapper(keras.losses.mean_squared_error, name="wrapped")
    model.compile(
        keras.optimizers.SGD(), keras.losses.CTC() if hasattr(keras.losses, "CTC") else "mse", metrics=[wrapped]
    )
    save(model, ["vector"], folder, "not_evaluated")


def write_optimizers(folder, failures):
    made_schedules = [made(cls, name) for name, cls in names(keras.optimizers.schedules).items()]
    rates = itertools.chain(made_schedules, itertools.repeat(0.01))
    for name, cls in names(keras.optimizers).items():
        try:
            optimizer = cls(keras.optimizers.SGD()) if name == "LossScaleOptimizer" else cls(learning_rate=next(rates))
            model = trainable(["y"])
            seeded(model)
            model.compile(optimizer, "mse", run_eagerly=True)
            model.train_on_batch({"vector": example("vector")}, {"y": np.ones((2, 3), "float32")})
            save(model, ["vector"], folder, f"optimizer_{name.lower()}")
        except Exception as error:
            failures.append(f"optimizer {name}: {type(error).__name__}: {str(error)[:150]}")


WRITERS = {
    "layers": write_layers,
    "small": write_small_objects,
    "training": write_training,
    "optimizers": write_optimizers,
}


def main(folder, *chosen):
    folder = Path(folder)
    failures = []
    keras.config.disable_traceback_filtering()
    for name in chosen or WRITERS:
        keras.utils.clear_session()
        keras.utils.set_random_seed(0)
        try:
            WRITERS[name](folder, failures)
        except Exception as error:
            failures.append(f"{name}: {type(error).__name__}: {error}")
    with (folder / "left_out.txt").open("a" if chosen else "w") as file:
        file.write("\n".join(failures))


if __name__ == "__main__":
    main(*sys.argv[1:])
