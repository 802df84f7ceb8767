"""The nouns: data that every other part speaks of, and nothing else."""
