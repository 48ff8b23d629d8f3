"""`@exporter.layer`: a function as a registered Layer class, with a config that holds every argument.

    @exporter.layer
    def scaled(x, factor: float = 2.0):
        "Multiplies by a factor."
        return x * factor

    model = keras.Sequential([keras.Input((3,)), scaled(factor=0.5)])

The layer's config holds `factor`, so that a `.keras` file of the model loads wherever this class is imported.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import keras

from exporter.authoring.annotations import checked, is_plain

Function = Callable[..., Any]
_RESERVED = frozenset({"name", "dtype", "trainable", "autocast", "inputs"})
_MODES = ("training", "mask")  # what Keras hands to a call


def layer(
    function: Function | None = None,
    *,
    build: Callable[..., Mapping[str, Any]] | None = None,
    name: str | None = None,
    package: str | None = None,
    keeps_mask: bool = False,
) -> Any:
    """Turn a function into a Layer class that always serializes.

    Parameters of the function that are annotated with `int`, `float`, `bool`, `str`, a `Literal` of texts, a list or
    tuple of these, or any of them `| None`, are arguments of the layer, and part of its config. `training` and `mask`
    are what Keras says; a list of masks where there are several tensors. Keyword-only parameters without an annotation
    are weights, made by `build`. All others are input tensors: the layer is called on one tensor, or on a list of as many.

        @exporter.layer(build=lambda layer, shape, units: {"w": layer.add_weight(shape=(shape[-1], units), name="w")})
        def linear(x, units: int, *, w):
            return keras.ops.matmul(x, w)

    Args:
        function: what the layer computes, of `keras.ops` and operators. Its docstring becomes that of the class.
        build: called once as `build(layer, input_shape, **arguments)` with those arguments of the layer that it names;
            returns the weights by the names of the parameters that take them.
        name: of the class in model files; None: the name of the function. It should never change.
        package: in front of that name; None: the first part of the function's module.
        keeps_mask: whether the mask of the input holds for the output, too: every step is computed by itself.

    Returns:
        The class, or, without a function, a decorator.

    Raises:
        TypeError: if an argument has a type that a config cannot hold, or the function takes no tensor.
        ValueError: if the name is taken by another class.
    """
    if function is None:
        return lambda decorated: layer(decorated, build=build, name=name, package=package, keeps_mask=keeps_mask)
    name = name or function.__name__
    if not name.isidentifier():
        raise ValueError(f"{name!r} is no name for a class; use def, or pass a name=")
    package = package or function.__module__.partition(".")[0].strip("_")
    form = _Form.of(function, build)
    cls = type(
        name,
        (FunctionLayer,),
        {
            "form": form,
            "keeps_mask": keeps_mask,
            "__doc__": function.__doc__ or f"Computes the function `{function.__name__}`.",
            "__module__": function.__module__,
            "__qualname__": function.__qualname__,
            "__signature__": form.constructor_signature(),
        },
    )
    _refuse_taken(f"{package}>{name}", cls)
    return keras.saving.register_keras_serializable(package=package, name=name)(cls)


class _Form:
    """What the parameters of a function are.

    Args:
        function: the function.
        build: makes the weights.
        fields: the arguments of the layer: parameter and type, by name.
        tensors: names of the input tensors.
        weights: names of the weights.
    """

    def __init__(
        self,
        function: Function,
        build: Callable[..., Mapping[str, Any]] | None,
        fields: Mapping[str, tuple[inspect.Parameter, Any]],
        tensors: tuple[str, ...],
        weights: tuple[str, ...],
    ) -> None:
        self.function, self.build, self.fields = function, build, fields
        self.tensors, self.weights = tensors, weights
        self.modes = tuple(name for name in _MODES if name in inspect.signature(function).parameters)

    @classmethod
    def of(cls, function: Function, build: Callable[..., Mapping[str, Any]] | None) -> _Form:
        """Read the signature."""
        hints = typing.get_type_hints(function)
        fields = {}
        tensors: list[str] = []
        weights: list[str] = []
        for name, parameter in inspect.signature(function).parameters.items():
            if name in _MODES:
                continue
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                raise TypeError(f"{function.__name__}: `{parameter}` says neither tensor nor argument; name each one")
            if name in hints and is_plain(hints[name]):
                fields[name] = (_checked_parameter(function, parameter, hints[name]), hints[name])
            elif parameter.default is not parameter.empty or (
                name in hints and parameter.kind is parameter.KEYWORD_ONLY
            ):
                raise TypeError(_unserializable(function, name, hints.get(name)))
            else:
                (weights if parameter.kind is parameter.KEYWORD_ONLY else tensors).append(name)
        if not tensors:
            raise TypeError(f"{function.__name__}: a layer needs a tensor: a first parameter without a type")
        if bool(weights) != (build is not None):
            raise TypeError(f"{function.__name__}: weights ({', '.join(weights) or 'none'}) and `build` go together")
        return cls(function, build, fields, tuple(tensors), tuple(weights))

    def constructor_signature(self) -> inspect.Signature:
        """How the class is called."""
        order = sorted((p for p, _ in self.fields.values()), key=lambda p: p.default is not p.empty)
        own = [p.replace(kind=p.POSITIONAL_OR_KEYWORD) for p in order]
        return inspect.Signature([*own, inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD)])

    def bound(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Split what the constructor was given into checked arguments and what every Keras layer takes."""
        try:
            given = self.constructor_signature().bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self.function.__name__}: {error}") from error
        given.apply_defaults()
        rest = given.arguments.pop("kwargs")
        owner = self.function.__name__
        return {n: checked(owner, n, v, self.fields[n][1]) for n, v in given.arguments.items()}, rest


class FunctionLayer(keras.Layer):
    """The base of the classes that `layer` makes."""

    form: ClassVar[_Form]
    keeps_mask: ClassVar[bool]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        own, rest = self.form.bound(args, kwargs)
        super().__init__(**rest)
        self._own = tuple(own.items())  # no dict: TensorFlow would wrap it
        self.supports_masking = self.keeps_mask or "mask" in self.form.modes  # Keras would warn that the mask ends

    def build(self, input_shape: Any) -> None:
        """Make the weights."""
        if self.form.build is None:
            return
        wanted = inspect.signature(self.form.build).parameters
        made = self.form.build(self, input_shape, **{name: value for name, value in self._own if name in wanted})
        if set(made) != set(self.form.weights):
            raise ValueError(
                f"{type(self).__name__}: `build` returned the weights {sorted(made)}, "
                f"the function takes {sorted(self.form.weights)}"
            )
        self._made = tuple((name, made[name]) for name in self.form.weights)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Compute the function."""
        several = len(self.form.tensors) > 1
        tensors = inputs if several and isinstance(inputs, list | tuple) else (inputs,)
        if len(tensors) != len(self.form.tensors):
            raise ValueError(
                f"{type(self).__name__} takes {len(self.form.tensors)} tensors in a list, not {len(tensors)}"
            )
        named = dict(zip(self.form.tensors, tensors, strict=True))
        modes = {"training": training, "mask": mask}
        mode = {name: modes[name] for name in self.form.modes}
        return self.form.function(**named, **dict(self._own), **dict(getattr(self, "_made", ())), **mode)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The mask of the outputs, if there is one."""
        return previous_mask if self.keeps_mask else None

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Shapes and dtypes of the outputs, inferred from the function."""
        return super(keras.Layer, self).compute_output_spec(*args, **kwargs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Shapes of the outputs, for inputs of the compute dtype."""
        if not self.built:
            self.build(input_shape)
        symbols = keras.tree.map_shape_structure(
            lambda shape: keras.KerasTensor(shape, dtype=self.compute_dtype), input_shape
        )
        return keras.tree.map_structure(lambda tensor: tensor.shape, self.compute_output_spec(symbols))

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {**super().get_config(), **dict(self._own)}


def _checked_parameter(function: Function, parameter: inspect.Parameter, hint: Any) -> inspect.Parameter:
    if parameter.name in _RESERVED:
        raise TypeError(f"{function.__name__}: every Keras layer has a `{parameter.name}`; call yours something else")
    if parameter.default is not parameter.empty:
        checked(function.__name__, parameter.name, parameter.default, hint)
    return parameter


def _unserializable(function: Function, name: str, hint: Any) -> str:
    said = "has no type" if hint is None else f"is annotated as {getattr(hint, '__name__', hint)}"
    return (
        f"{function.__name__}: `{name}` {said}, which a config cannot hold; annotate it with int, float, bool, str, "
        "a list of these or a Literal, or make it a weight (build=) or an input"
    )


def _refuse_taken(key: str, cls: type) -> None:
    known = keras.saving.get_custom_objects().get(key)
    if known is not None and (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
        raise ValueError(f"{key!r} is registered already, for {known.__module__}.{known.__qualname__}; pass a name=")
