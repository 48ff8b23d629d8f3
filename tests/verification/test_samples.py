"""Samples fit the model, cover kinds and batch sizes, are reproducible, and never disappear without a note."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

from exporter.capture.inference import Inference
from exporter.errors import UsageError
from exporter.verification.samples import make_samples, user_samples
from tests.verification.models import dense, embedding


def samples_of(model, batch="dynamic", **options):
    return make_samples(Inference(model), batch, **options)


def rows(sample):
    return {a.shape[0] for a in sample.arrays.values()}


def test_every_batch_size_and_kind_occurs():
    samples = samples_of(dense())
    assert {n for s in samples for n in rows(s)} >= {0, 1, 2, 3, 7, 17}
    assert {s.kind for s in samples} >= {"normal", "uniform", "pixels", "signed", "zeros", "ones"}
    assert len({s.name for s in samples}) == len(samples)
    assert samples.notes == ()


def test_the_kinds_hold_what_they_say():
    by_kind = {s.kind: s.arrays["x"] for s in samples_of(dense(features=500)) if rows(s) != {0}}
    assert by_kind["normal"].std() == pytest.approx(1, rel=0.1)
    assert 0 <= by_kind["uniform"].min() < by_kind["uniform"].max() <= 1
    assert 250 < by_kind["pixels"].max() <= 255
    assert -1 <= by_kind["signed"].min() < -0.9
    assert not by_kind["zeros"].any()
    assert (by_kind["ones"] == 1).all()
    assert by_kind["wide"].std() == pytest.approx(3, rel=0.1)
    assert np.mean(by_kind["sparse"] != 0) == pytest.approx(1 / 8, rel=0.2)
    per_row = by_kind["scaled"].std(axis=1)
    assert per_row.max() > 5 * per_row.min()


def test_equal_seeds_give_equal_samples_and_others_do_not():
    first, second, other = samples_of(dense()), samples_of(dense()), samples_of(dense(), seed=1)
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a.arrays["x"], b.arrays["x"])
    assert (first[0].arrays["x"] != other[0].arrays["x"]).all()


def test_the_values_do_not_depend_on_how_many_inputs_were_made_before():
    first, second = (keras.Sequential([keras.Input((4,)), layers.Dense(2)]) for _ in range(2))
    for a, b in zip(samples_of(first), samples_of(second), strict=True):
        assert a.arrays.keys() != b.arrays.keys()
        for one, other in zip(a.arrays.values(), b.arrays.values(), strict=True):
            np.testing.assert_array_equal(one, other)


def test_two_inputs_of_one_shape_get_different_values():
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    sample = samples_of(keras.Model([a, b], layers.Subtract()([a, b])))[0]
    assert (sample.arrays["a"] != sample.arrays["b"]).all()


def test_a_static_batch_is_the_only_size():
    assert {n for s in samples_of(dense(), 4) for n in rows(s)} == {4}


def test_a_model_that_fixes_its_batch_gets_that_batch():
    x = keras.Input((5, 3), batch_size=2)
    model = keras.Model(x, layers.LSTM(4, stateful=True)(x))
    assert {n for s in samples_of(model) for n in rows(s)} == {2}


def test_other_dynamic_dimensions_have_two_sizes_and_a_long_one_equal_in_all_inputs():
    a, b = keras.Input((None, 3), name="a"), keras.Input((None, 3), name="b")
    samples = samples_of(keras.Model([a, b], layers.Add()([a, b])))
    assert {s.arrays["a"].shape[1] for s in samples} == {5, 12, 64}
    assert all(s.arrays["a"].shape == s.arrays["b"].shape for s in samples)


def test_convolution_stacks_get_images_large_enough_and_not_square():
    x = keras.Input((None, None, 3), name="x")
    y = x
    for _ in range(3):
        y = layers.Conv2D(4, 3, strides=2)(y)
    shapes = {s.arrays["x"].shape[1:] for s in samples_of(keras.Model(x, layers.GlobalMaxPooling2D()(y)))}
    assert min(h for h, _, _ in shapes) >= 15
    assert any(h != w for h, w, _ in shapes)


def test_pooling_to_nothing_does_not_count_as_accepted():
    """Keras accepts 5x5 here and computes the mean of nothing."""
    x = keras.Input((None, None, 1), name="x")
    y = layers.AveragePooling2D(8)(x)
    samples = samples_of(keras.Model(x, layers.GlobalAveragePooling2D()(y)))
    assert all(min(s.arrays["x"].shape[1:3]) >= 8 for s in samples)


@pytest.mark.parametrize("dtype", ["int32", "float32"])
def test_indices_stay_below_the_size_of_the_embedding(dtype):
    samples = samples_of(embedding(dtype, size=50))
    values = np.concatenate([s.arrays["tokens"].ravel() for s in samples])
    assert values.min() == 0
    assert values.max() == 49
    assert (values == values.astype(int)).all()


def test_the_smallest_of_several_tables_counts():
    tokens = keras.Input((4,), dtype="int32", name="t")
    small, large = layers.Embedding(7, 2)(tokens), layers.Embedding(90, 2)(tokens)
    samples = samples_of(keras.Model(tokens, layers.Add()([small, large])))
    assert max(s.arrays["t"].max(initial=0) for s in samples) == 6


def test_bytes_use_their_whole_range():
    x = keras.Input((6, 6, 3), dtype="uint8", name="image")
    values = np.concatenate(
        [s.arrays["image"].ravel() for s in samples_of(keras.Model(x, layers.Rescaling(1 / 255)(x)))]
    )
    assert (values.min(), values.max()) == (0, 255)
    assert values.dtype == np.uint8


def test_images_of_bytes_are_dark_bright_and_sparse():
    x = keras.Input((20, 20, 1), dtype="uint8", name="image")
    samples = samples_of(keras.Model(x, layers.Rescaling(1 / 255)(x)))
    by_kind = {s.kind: s.arrays["image"] for s in samples if rows(s) != {0}}
    assert set(np.unique(by_kind["wide"])) == {0, 255}
    assert set(np.unique(by_kind["uniform"])) == {0, 1}
    assert np.mean(by_kind["sparse"] > 0) == pytest.approx(1 / 8, abs=0.03)
    assert np.ptp(by_kind["scaled"].max(axis=(1, 2, 3))) > 100
    assert (by_kind["ones"] == 255).all()


def test_booleans_are_mixed_and_all_of_one_kind():
    x = keras.Input((9,), dtype="bool", name="mask")
    shares = {
        s.kind: s.arrays["mask"].mean() for s in samples_of(keras.Model(x, ops.cast(x, "float32"))) if rows(s) != {0}
    }
    assert shares["zeros"] == 0
    assert shares["ones"] == 1
    assert 0 < shares["normal"] < 1


def test_strings_come_from_the_vocabulary_and_from_outside():
    words = keras.Input((3,), dtype="string", name="words")
    model = keras.Model(words, layers.StringLookup(vocabulary=["red", "green"])(words))
    seen = {w for s in samples_of(model) for w in s.arrays["words"].ravel()}
    assert {"red", "green"} < seen


def test_a_closed_vocabulary_is_not_left():
    words = keras.Input((3,), dtype="string", name="words")
    lookup = layers.StringLookup(vocabulary=["red", "green"], num_oov_indices=0)
    samples = samples_of(keras.Model(words, lookup(words)))
    assert {w for s in samples for w in s.arrays["words"].ravel()} == {"red", "green"}
    assert samples.notes == ()


def test_two_lookups_get_their_own_words():
    colour, size = (keras.Input((1,), dtype="string", name=name) for name in ("colour", "size"))
    outputs = [
        layers.StringLookup(vocabulary=["red", "green"], num_oov_indices=0)(colour),
        layers.StringLookup(vocabulary=["big", "small"], num_oov_indices=0)(size),
    ]
    sample = samples_of(keras.Model([colour, size], outputs))[0]
    assert set(sample.arrays["colour"].ravel()) <= {"red", "green"}
    assert set(sample.arrays["size"].ravel()) <= {"big", "small"}


def test_large_models_get_fewer_rows():
    def total(model):
        return sum(len(a) for s in samples_of(model) for a in s.arrays.values())

    small, large = dense(), dense(features=2**19)
    assert total(large) < 10 < total(small)


class NeedsRows(layers.Layer):
    """Fails on an empty batch, as TensorFlow's convolution does on some machines."""

    def call(self, x):
        import tensorflow as tf

        with tf.control_dependencies([tf.debugging.assert_positive(tf.shape(x)[0])]):
            return tf.identity(x)


def test_a_sample_that_keras_refuses_is_named():
    samples = samples_of(keras.Sequential([keras.Input((8,)), NeedsRows()]))
    assert all(rows(s) != {0} for s in samples)
    (note,) = samples.notes
    assert "normal, batch 0" in note
    assert "Keras itself fails" in note


def test_a_model_that_refuses_everything_asks_for_data():
    class Picky(layers.Layer):
        def call(self, x):
            import tensorflow as tf

            with tf.control_dependencies([tf.debugging.assert_greater(x, 1e9)]):
                return tf.identity(x)

    with pytest.raises(UsageError, match="pass data of your own") as caught:
        samples_of(keras.Sequential([keras.Input((2,)), Picky()]))
    assert "Condition x > y" in str(caught.value) or "assertion" in str(caught.value).lower()


def graph_model():
    """Scores of edges between nodes: two inputs, each with a first dimension of its own."""
    nodes, edges = keras.Input((5,), name="nodes"), keras.Input((2,), dtype="int32", name="edges")
    h = layers.Dense(8, activation="relu")(nodes)
    pairs = ops.take(h, edges[:, 0], axis=0) * ops.take(h, edges[:, 1], axis=0)
    return keras.Model([nodes, edges], layers.Dense(1, name="link")(pairs))


def test_inputs_of_independent_sizes_have_unequal_and_equal_ones():
    samples = samples_of(graph_model())
    sizes = {(len(s.arrays["nodes"]), len(s.arrays["edges"])) for s in samples}
    assert any(n != e for n, e in sizes)
    assert any(n == e for n, e in sizes if n)
    assert all(s.arrays["edges"].max(initial=0) < max(1, len(s.arrays["nodes"])) for s in samples)
    assert "normal, batch 3 and 5" in {s.name for s in samples}


def test_a_batch_of_more_than_128_rows_occurs():
    assert max(n for s in samples_of(dense()) for n in rows(s)) > 128


def test_every_row_of_a_table_is_looked_up():
    values = {v for s in samples_of(embedding(size=3000)) for v in s.arrays["tokens"].ravel()}
    assert values == set(range(3000))


def test_the_greatest_length_of_a_model_occurs():
    class Positions(layers.Layer):
        def build(self, shape):
            self.table = self.add_weight(shape=(50, 4))

        def call(self, x):
            return x + self.table[: ops.shape(x)[1]]

    x = keras.Input((None, 4), name="x")
    samples = samples_of(keras.Model(x, layers.Dense(77)(Positions()(x))))
    assert max(s.arrays["x"].shape[1] for s in samples) == 50


def test_values_about_the_scale_of_the_normalization_occur():
    x = keras.Input((3,), name="x")
    norm = layers.Normalization(mean=[0.0, 1e4, -50.0], variance=[1.0, 100.0, 1e-4])
    (sample,) = [s for s in samples_of(keras.Model(x, norm(x))) if s.kind == "own scale"]
    assert np.abs(sample.arrays["x"].mean(axis=0) - [0, 1e4, -50]).max() < 10
    assert not any(s.kind == "own scale" for s in samples_of(dense()))


def test_signals_have_offsets_and_levels_turn():
    x = keras.Input((100, 2), name="x")
    by_kind = {s.kind: s.arrays["x"] for s in samples_of(keras.Model(x, layers.ReLU()(x)))}
    assert (np.abs(by_kind["signals"].mean(axis=1)) > 0.05).all()
    first, last = by_kind["levels"][:, 0], by_kind["levels"][:, -1]
    np.testing.assert_array_equal(first, -last)


def test_an_empty_batch_that_keras_gives_two_shapes_is_left_out(monkeypatch):
    """On some machines TensorFlow's convolution returns the input's height and width where the batch is empty."""
    x = keras.Input((None, None, 3), name="x")
    inference = Inference(keras.Model(x, layers.Conv2D(4, 3, strides=2, padding="same", name="y")(x)))
    predict = inference.predict

    def as_there(arrays):
        if arrays["x"].shape[0]:
            return predict(arrays)
        return {"y": np.zeros((*arrays["x"].shape[:3], 4), "float32")}

    monkeypatch.setattr(inference, "predict", as_there)
    samples = make_samples(inference)
    assert {n for s in samples for n in rows(s)} >= {1, 2, 3}
    assert 0 not in {n for s in samples for n in rows(s)}
    assert any("comes out as" in note for note in samples.notes)


def test_an_exception_of_any_kind_is_about_the_sample(monkeypatch):
    inference = Inference(dense())
    predict = inference.predict

    def picky(arrays):
        if len(arrays["x"]) == 17:
            raise AttributeError("not 17")
        return predict(arrays)

    monkeypatch.setattr(inference, "predict", picky)
    samples = make_samples(inference)
    assert {n for s in samples for n in rows(s)} >= {0, 1, 2, 3, 7, 64}
    assert any("not 17" in note for note in samples.notes)


class Spectrum(layers.Layer):
    """Needs at least 4000 samples of sound."""

    def call(self, x):
        import tensorflow as tf

        return tf.reduce_mean(tf.signal.frame(x, 4000, 4000), axis=1)[:, :8]


def test_a_model_that_needs_a_great_length_gets_it():
    x = keras.Input((None,), name="x")
    samples = samples_of(keras.Model(x, Spectrum()(x)))
    assert min(s.arrays["x"].shape[1] for s in samples) >= 4000


def test_a_size_at_which_the_model_only_traces_is_not_taken():
    class Padded(layers.Layer):
        def call(self, x):
            import tensorflow as tf

            return tf.pad(x, [[0, 0], [300, 300]], "REFLECT")  # of a dynamic width, it fails when it is run

        def compute_output_spec(self, x):
            return keras.KerasTensor((x.shape[0], None), x.dtype)

    x = keras.Input((None,), name="x")
    samples = samples_of(keras.Model(x, Padded()(x)))
    assert min(s.arrays["x"].shape[1] for s in samples) > 300


def test_the_sizes_of_own_data_come_first():
    x = keras.Input((None,), name="x")
    inference = Inference(keras.Model(x, Spectrum()(x)))
    samples = make_samples(inference, own=user_samples(np.ones((2, 4321)), inference))
    assert samples[0].arrays["x"].shape[1] == 4321


def test_own_data_stands_in_where_nothing_can_be_made_up():
    words = keras.Input((), dtype="string", name="words")

    class Decode(layers.Layer):
        def call(self, x):
            import tensorflow as tf

            return tf.strings.to_number(x)

        def compute_output_spec(self, x):
            return keras.KerasTensor(x.shape, "float32")

    inference = Inference(keras.Model(words, Decode()(words)))
    with pytest.raises(UsageError, match="pass data of your own"):
        make_samples(inference)
    samples = make_samples(inference, own=user_samples(np.array(["1", "2.5"]), inference))
    assert [len(s.arrays["words"]) for s in samples] == [1, 2, 3, 7]
    assert any("left out" in note for note in samples.notes)


class TestUserSamples:
    def test_inputs_of_independent_sizes_need_no_common_number_of_rows(self):
        data = {"nodes": np.ones((6, 5)), "edges": np.zeros((9, 2), int)}
        sample = user_samples(data, Inference(graph_model()))
        assert (len(sample.arrays["nodes"]), len(sample.arrays["edges"])) == (6, 9)

    def test_a_single_array_is_the_single_input(self):
        data = np.arange(8.0).reshape(2, 4)
        sample = user_samples(data, Inference(dense()))
        assert sample.arrays["x"].dtype == np.float32
        np.testing.assert_array_equal(sample.arrays["x"], data)

    def test_any_number_of_rows_fits_a_model_of_fixed_batch(self):
        x = keras.Input((3,), batch_size=2, name="x")
        assert user_samples(np.ones((5, 3)), Inference(keras.Model(x, layers.ReLU()(x)))).arrays["x"].shape == (5, 3)

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            ({"z": np.ones((2, 4))}, "takes x"),
            ({"x": np.ones((2, 4)), "z": np.ones(2)}, "takes x"),
            (np.ones((2, 5)), "wrong shape"),
            (np.ones(4), "wrong shape"),
            (np.array([["a"] * 4]), "wrong dtype"),
            (np.ones((2, 4), "complex64"), "wrong dtype"),
        ],
    )
    def test_what_does_not_fit_is_explained(self, data, message):
        with pytest.raises(UsageError, match=message):
            user_samples(data, Inference(dense()))

    def test_floats_are_no_indices(self):
        with pytest.raises(UsageError, match=r"array\.astype\('int32'\)"):
            user_samples(np.ones((2, 5)), Inference(embedding()))

    def test_integers_that_do_not_fit_are_refused(self):
        with pytest.raises(UsageError, match="does not fit"):
            user_samples(np.full((2, 5), 2**40), Inference(embedding()))

    def test_inputs_with_different_numbers_of_rows_are_refused(self):
        a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
        inference = Inference(keras.Model([a, b], layers.Add()([a, b])))
        with pytest.raises(UsageError, match="a has 2, b has 3"):
            user_samples({"a": np.ones((2, 3)), "b": np.ones((3, 3))}, inference)

    def test_the_names_of_keras_tensors_will_do(self):
        a, b = keras.Input((3,)), keras.Input((3,))
        inference = Inference(keras.Model([a, b], layers.Add()([a, b])))
        sample = user_samples({b.name: np.ones((2, 3)), a.name: np.zeros((2, 3))}, inference)
        assert [array.any() for array in sample.arrays.values()] == [False, True]
        assert list(sample.arrays) == [i.name for i in inference.inputs]

    def test_several_arrays_come_in_keras_order(self):
        a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
        inference = Inference(keras.Model([a, b], layers.Add()([a, b])))
        assert user_samples([np.zeros((2, 3)), np.ones((2, 3))], inference).arrays["b"].all()
        with pytest.raises(UsageError, match="takes 2"):
            user_samples([np.zeros((2, 3))], inference)


def test_a_weight_without_axes_is_no_table():
    class Scaled(layers.Layer):
        def build(self, shape):
            self.factor = self.add_weight(shape=(), name="factor")

        def call(self, x):
            return x * self.factor

    tokens = keras.Input((5,), dtype="int32", name="tokens")
    model = keras.Model(tokens, Scaled()(layers.Embedding(20, 3)(tokens)))
    assert make_samples(Inference(model))
