"""The limits that a model file must keep: one table, each with its reason.

A limit stands where a small file could otherwise cost unbounded memory, disk or time. Each is far above what
Keras writes; a real model beyond one of them loads with `trust=True` (`--trust`).
"""

from __future__ import annotations

MIB = 1 << 20

CONFIG_BYTES = 64 * MIB  # config.json; the largest of Keras Applications and Keras Hub stay below 2 MiB
METADATA_BYTES = 64 << 10  # metadata.json holds a version and a date: below 200 bytes
CONFIG_DEPTH = 250  # nested brackets; a model nested in a model costs four
CONFIG_OBJECTS = 100_000  # serialized objects; ResNet152 has about 3,000
CONFIG_VALUES = 4_000_000  # everything in the JSON: vocabularies and constants are written out there

NAME_LENGTH = 1_000  # characters of the name of a layer; Keras's own have fewer than 50
PATTERN_LENGTH = 200  # characters of a regular expression, as an optimizer or a map of dtype policies holds them
PATTERN_STEPS = 1e8  # of one search at worst: a second; every variable is searched
PATTERNS = 1_000  # regular expressions in one file
VARIABLE_NAME = 100  # characters that a path has beside the names of the layers
STEPS = 10_000  # of a loop of Python in Keras: n-grams, operations of an augmentation
LIST_LENGTH = 1_000_000  # of a list that Keras makes from one number: thresholds of a metric

ARCHIVE_MEMBERS = 10_000  # three, and assets (a vocabulary for each layer that has one)
EXPANSION = 200  # uncompressed over stored bytes; Keras stores plainly (1), DEFLATE ends at 1,032
EXPANSION_FLOOR = 16 * MIB  # below this size, expansion does no harm

HDF5_OBJECTS = 500_000  # groups and datasets; every variable is one dataset
HDF5_RANK = 16  # dimensions of one weight
HDF5_CHUNK_BYTES = 512 * MIB  # one compressed chunk is decompressed whole
HDF5_ATTRIBUTE_BYTES = 64 * MIB  # model_config of a legacy file is an attribute

HDF5_PROCESS_BYTES = 4 << 30  # address space of the process that reads HDF5 first, libraries included
HDF5_SECONDS = 5  # processor time of that process: it needs 0.3, and one more second for every
HDF5_BYTES_PER_SECOND = 20 * MIB  # a pace at which it surely decompresses
WALL_OVER_CPU = 10  # how much longer it may take by the clock, on a busy machine

# What Keras may build, in relation to the arrays in the file. Optimizer state, metrics, seeds and lookup tables
# are not always saved; Adam needs twice the weights, in four bytes where they have two.
VARIABLES_OVER_WEIGHTS = 8
VARIABLES_FLOOR = 256 * MIB
VARIABLES_COUNT_FLOOR = 2_000
OPERATIONS = 20_000  # layers and operations; NASNetLarge has about 1,100, a language model of 100 blocks 3,000
CALLS = 200_000  # of layers and operations; an unrolled recurrent layer calls its cell for every step
TENSORS = 200_000  # symbolic tensors; a few for every operation

FINDINGS = 1_000  # of one part; nobody reads more
