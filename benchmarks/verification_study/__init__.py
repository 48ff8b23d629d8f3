"""The parts of `benchmarks.verification`: models, right files, faults, the judge that is independent of the rule, tables."""
