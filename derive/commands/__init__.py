"""The commands of `derive`, each a thin layer over the package; nothing heavy is imported before one runs."""
