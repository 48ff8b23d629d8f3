"""The models that `make export` exports: real data, layers of our own, trained in seconds on two cores.

Each file without a leading underscore is one model (see `models._catalog.Definition` for what it defines). A new model
is a new file: nothing else needs to know of it.
"""
