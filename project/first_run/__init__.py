"""The first-run page: from an empty database to a shop that sells, step by step."""
