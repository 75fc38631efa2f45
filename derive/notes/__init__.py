"""What the lecture notes print, beside what follows: numbers.toml and claims.toml, both computed."""
