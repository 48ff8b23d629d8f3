"""Predicts the progression of diabetes one year on, from two groups of measurements of a patient.

    body (4)  -> Normalization -> Linear ┐
    blood (6) -> Normalization -> Linear ┴ ELiSH -> Linear -> ELiSH ┬ Linear -> progression (1)
                                                                 └ Dense -> above_median (1), a probability

Inputs and outputs are dicts. The data are bundled with scikit-learn: 442 patients, from: B. Efron, T. Hastie,
I. Johnstone, R. Tibshirani, "Least Angle Regression", https://doi.org/10.1214/009053604000000067
"""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

import keras
import numpy as np
from keras import layers

from exporter.layers import ELiSH, Linear
from exporter.losses import Huber
from models._goal import Goal

GOAL = Goal("R² of the progression", least=0.4)  # ridge regression reaches 0.50 on this test set
BODY = ["age", "sex", "bmi", "bp"]
BLOOD = ["s1", "s2", "s3", "s4", "s5", "s6"]
MEDIAN = 140  # of the progression, a score from 25 to 346
MEAN, DEVIATION = 152.0, 77.0  # of the same
TEST_SIZE = 111  # a quarter
SPLIT_SEED = 0
EPOCHS = 15
BATCH = 32
SEED = 2

Tables = dict[str, np.ndarray]


def build() -> keras.Model:
    """Build the model: 800 parameters, random weights; it normalizes by the statistics of the training set."""
    data, _ = _patients("train")
    inputs = {"body": keras.Input((len(BODY),), name="body"), "blood": keras.Input((len(BLOOD),), name="blood")}
    branches = [Linear(16, name=f"{key}_linear")(_normalization(key, data[key])(x)) for key, x in inputs.items()]
    x = layers.Concatenate(name="patient")(branches)
    x = ELiSH(name="patient_elish")(x)
    x = layers.Dropout(0.2, name="dropout")(x)
    x = ELiSH(name="hidden_elish")(Linear(16, name="hidden")(x))
    score = Linear(1, name="score")(x)
    outputs = {
        "progression": layers.Rescaling(DEVIATION, MEAN, name="progression")(score),
        "above_median": layers.Dense(1, activation="sigmoid", name="above_median")(x),
    }
    return keras.Model(inputs, outputs, name="diabetes")


def train(epochs: int = EPOCHS, seed: int = SEED) -> keras.Model:
    """Train the model; the same seed gives the same weights.

    Raises:
        GoalMissedError: if R² on the test set is below the goal.
    """
    keras.utils.set_random_seed(seed)
    model = build()
    inputs, targets = _patients("train")
    rate = keras.optimizers.schedules.CosineDecay(5e-3, epochs * -(-len(inputs["body"]) // BATCH))
    model.compile(
        keras.optimizers.AdamW(rate, weight_decay=0.1),
        loss={"progression": Huber(delta=50.0), "above_median": "binary_crossentropy"},
        loss_weights={"progression": DEVIATION**-2, "above_median": 1.0},  # brings both to the same scale
        jit_compile=False,  # XLA would take longer to compile than the training takes
    )
    model.fit(inputs, targets, epochs=epochs, batch_size=BATCH, verbose=0)
    GOAL.check("diabetes", score(model))
    return model


def test_data() -> tuple[Tables, Tables]:
    """Return {"body": (111, 4), "blood": (111, 6)} and {"progression": (111, 1), "above_median": (111, 1)}, float32."""
    return _patients("test")


def score(model: keras.Model) -> float:
    """Compute R², the share of the variance of the progression that is explained, on the test set."""
    inputs, targets = test_data()
    truth = targets["progression"]
    error = model.predict(inputs, verbose=0)["progression"] - truth
    return float(1 - np.mean(error**2) / np.var(truth))


def _normalization(key: str, data: np.ndarray) -> Any:
    layer = layers.Normalization(name=f"{key}_normalization")
    layer.adapt(data)
    return layer


def _patients(part: Literal["train", "test"]) -> tuple[Tables, Tables]:
    return _split()[part]


@cache
def _split() -> dict[str, tuple[Tables, Tables]]:
    from sklearn.datasets import load_diabetes
    from sklearn.model_selection import train_test_split

    data = load_diabetes(scaled=False)
    columns = {name: data.data[:, n].astype(np.float32) for n, name in enumerate(data.feature_names)}
    progression = data.target.astype(np.float32)[:, None]
    above_median = (progression > MEDIAN).astype(np.float32)
    body, blood = (np.stack([columns[name] for name in group], axis=-1) for group in (BODY, BLOOD))

    def part(rows: np.ndarray) -> tuple[Tables, Tables]:
        inputs = {"body": body[rows], "blood": blood[rows]}
        return inputs, {"progression": progression[rows], "above_median": above_median[rows]}

    train, test = train_test_split(
        np.arange(len(progression)), test_size=TEST_SIZE, random_state=SPLIT_SEED, stratify=above_median
    )
    return {"train": part(train), "test": part(test)}
